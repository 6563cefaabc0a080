// Logging before main() and after it.

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "forked.hpp"
#include "logging_fixture.hpp"

namespace conc::test {
namespace {

using logging::get_logger;

// Destroyed after logging::shutdown() has run, since it is made before logging is used.
struct LoggingAtItsEnd {
  bool armed = false;
  ~LoggingAtItsEnd() {
    if (armed) get_logger("end").warning("destructor of a global");
  }
} last_of_all;

struct LoggingAtItsBeginning {
  std::shared_ptr<KeepingHandler> kept = std::make_shared<KeepingHandler>();
  LoggingAtItsBeginning() {
    get_logger("beginning").add_handler(kept);
    get_logger("beginning").warning("constructor of a {}", "global");
    get_logger("beginning").remove_handler(kept);
  }
} first_of_all;

TEST(LoggingLifetime, GlobalsLogInTheirConstructors) {
  EXPECT_EQ(first_of_all.kept->lines(), (Lines{"constructor of a global"}));
}

class LoggingInThreadLocal {
 public:
  void arm(const char* what) { what_ = what; }
  ~LoggingInThreadLocal() {
    if (what_ != nullptr) get_logger("end").warning("destructor of a thread_local in {}", what_);
  }

 private:
  const char* what_ = nullptr;
};

thread_local LoggingInThreadLocal at_thread_end;

TEST(LoggingLifetime, ThreadLocalsAtexitAndGlobalsLogUntilTheVeryEnd) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("conc-lifetime-" + std::to_string(::getpid()) + ".log");
  const auto log_to_the_end = [&] {
    logging::basic_config({.format = "%(message)s",
                           .filename = path,
                           .filemode = logging::FileMode::truncate,
                           .force = true});
    at_thread_end.arm("the main thread");
    last_of_all.armed = true;
    std::thread([] {
      at_thread_end.arm("a thread");
      get_logger("end").warning("a thread");
    }).join();
    std::atexit([] { get_logger("end").warning("atexit"); });
    std::exit(0);
  };
  EXPECT_EXIT(log_to_the_end(), ::testing::ExitedWithCode(0), "");

  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(),
            "a thread\n"
            "destructor of a thread_local in a thread\n"
            "destructor of a thread_local in the main thread\n"
            "atexit\n"
            "destructor of a global\n");
  std::filesystem::remove(path);
}

TEST(LoggingLifetime, QueuedRecordsAreHandledUntilTheVeryEnd) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("conc-lifetime-queue-" + std::to_string(::getpid()) + ".log");
  const auto log_to_the_end = [&] {
    const auto queue = std::make_shared<logging::RecordQueue>(2);
    const auto file = std::make_shared<logging::FileHandler>(path);
    // Not destroyed: as a program that calls exit() leaves it.
    static auto* const listener = new logging::QueueListener(queue, {file});
    listener->start();
    logging::basic_config(
        {.handlers = {std::make_shared<logging::QueueHandler>(queue)}, .force = true});
    last_of_all.armed = true;
    for (int i = 0; i < 100; ++i) get_logger("end").warning("{}", i);
    std::exit(0);
  };
  EXPECT_EXIT(log_to_the_end(), ::testing::ExitedWithCode(0), "");

  std::string expected;
  for (int i = 0; i < 100; ++i) expected += std::to_string(i) + "\n";
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), expected + "destructor of a global\n");
  std::filesystem::remove(path);
}

TEST(LoggingLifetime, ExitInsideOfAHandlerEndsTheProgramAndClosesAllHandlers) {
  struct Fatal : logging::Handler {
    void emit(const logging::LogRecord&, std::string_view) override { std::exit(3); }
    void on_flush() override { std::fputs("fatal flushed\n", stderr); }
    void on_close() override { std::fputs("fatal closed\n", stderr); }
  };
  struct Older : logging::Handler {
    void emit(const logging::LogRecord&, std::string_view) override {}
    void on_close() override { std::fputs("older closed\n", stderr); }
  };
  const auto end_in_emit = [] {
    ::alarm(10);
    static const auto older = std::make_shared<Older>();
    get_logger("fatal").add_handler(older);
    get_logger("fatal").add_handler(std::make_shared<Fatal>());
    get_logger("fatal").critical("cannot go on");
  };
  EXPECT_EXIT(end_in_emit(), ::testing::ExitedWithCode(3),
              "fatal flushed\nfatal closed\nolder closed\n");
}

TEST(LoggingLifetime, HandlerThatForksWithItsLockHeldHasItInTheChild) {
  struct Forking : logging::Handler {
    void emit(const logging::LogRecord&, std::string_view) override {}
    int fork_locked() {
      const LockGuard guard(lock());
      return in_child([&] {
        if (!lock().locked()) ::_exit(1);
        lock().release();
        get_logger("forking").warning("child");
        lock().acquire();
      });
    }
  };
  const auto forking = std::make_shared<Forking>();
  get_logger("forking").add_handler(forking);
  EXPECT_EQ(forking->fork_locked(), 0);
  get_logger("forking").remove_handler(forking);
}

TEST(LoggingLifetime, ChildOfAForkHasItsOwnProcessNumber) {
  const auto kept = std::make_shared<KeepingHandler>();
  get_logger("fork").add_handler(kept);
  get_logger("fork").warning("parent");
  const ::pid_t child = ::fork();
  if (child == 0) {
    get_logger("fork").warning("child");
    const auto records = kept->take_records();
    const bool right = records.size() == 2 && records[0].record().process == ::getppid() &&
                       records[1].record().process == ::getpid();
    ::_exit(right ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  get_logger("fork").remove_handler(kept);
}

}  // namespace
}  // namespace conc::test

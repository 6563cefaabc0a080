// Logging while processes fork and are killed.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.hpp"
#include "eventually.hpp"
#include "forked.hpp"
#include "interrupted.hpp"
#include "logging_files.hpp"
#include "stress.hpp"

namespace conc::test {
namespace {

using logging::get_logger;
using logging::Logger;

class ReliabilityTest : public LoggingFileTest {
 protected:
  // Forks again and again while four threads log to the logger; each child logs.
  static void fork_under_load(Logger& logger, int forks) {
    std::atomic<bool> enough{false};
    std::vector<std::thread> load;
    for (int i = 0; i < 4; ++i) {
      load.emplace_back([&] {
        while (!enough) logger.warning("parent");
      });
    }
    int good = 0;
    for (int n = 0; n < forks; ++n) {
      if (in_child([&] { logger.warning("child {}", n); }) == 0) ++good;
    }
    enough = true;
    for (std::thread& thread : load) thread.join();
    EXPECT_EQ(good, forks);
  }

  // Whether each child's line is there, whole and once, and no others than theirs and the parent's.
  void expect_lines_of_children(const fs::path& path, int forks) const {
    std::vector<int> seen(static_cast<std::size_t>(forks), 0);
    std::ifstream lines(path);
    for (std::string line; std::getline(lines, line);) {
      if (line.ends_with(" parent")) continue;
      const std::string_view mark = " child ";
      const std::size_t begin = line.find(mark);
      ASSERT_NE(begin, std::string::npos) << line;
      std::size_t n = 0;
      const char* const end = line.data() + line.size();
      const auto read = std::from_chars(line.data() + begin + mark.size(), end, n);
      ASSERT_TRUE(read.ptr == end && n < seen.size()) << line;
      ++seen[n];
    }
    for (const int count : seen) EXPECT_EQ(count, 1);
  }

  [[nodiscard]] std::shared_ptr<logging::FileHandler> to_file() const {
    auto handler = std::make_shared<logging::FileHandler>(file());
    // Local time has a lock of its own.
    handler->set_formatter(std::make_shared<logging::Formatter>("%(asctime)s %(message)s"));
    return handler;
  }
};

// In a process that has not logged yet: threads begin, and the main thread forks meanwhile.
int forks_at_the_first_records() {
  constexpr int threads = 3;
  std::atomic<int> ready{0};
  std::vector<std::thread> load;
  for (int i = 0; i < threads; ++i) {
    load.emplace_back([&, i] {
      ++ready;
      while (ready <= threads) {
      }
      for (int n = 0; n < 3; ++n) logging::warning("parent {} {}", i, n);
    });
  }
  while (ready < threads) {
  }
  ++ready;
  int bad = 0;
  for (int n = 0; n < 6; ++n) {
    const ::pid_t pid = ::fork();
    if (pid == 0) {
      ::alarm(10);
      logging::warning("child {}", n);
      ::_exit(0);
    }
    int status = -1;
    if (::waitpid(pid, &status, 0) != pid || status != 0) ++bad;
  }
  for (std::thread& thread : load) thread.join();
  return bad;
}

TEST(FirstRecords, ChildrenLogWhicheverThreadsWereJustBeginningTo) {
  if (!a_child_may_allocate) GTEST_SKIP() << "not under a sanitizer";
  for (int i = 0; i < 40; ++i) {
    const ChildEnd end = run_child("forks_at_the_first_records");
    ASSERT_EQ(end.status, 0) << end.output;
    for (int n = 0; n < 6; ++n) {
      EXPECT_NE(end.output.find(":child " + std::to_string(n) + "\n"), std::string::npos)
          << end.output;
    }
  }
}

TEST_F(ReliabilityTest, ThreeHundredChildrenLogWhileThreadsLog) {
  if (!a_child_may_allocate) GTEST_SKIP() << "not under a sanitizer";
  Logger& logger = get_logger("fork.file");
  logger.set_propagate(false);
  logger.add_handler(to_file());
  fork_under_load(logger, 300);
  expect_lines_of_children(file(), 300);
}

TEST_F(ReliabilityTest, ChildrenDoNotWriteWhatTheirParentHoldsBack) {
  if (!a_child_may_allocate) GTEST_SKIP() << "not under a sanitizer";
  Logger& logger = get_logger("fork.held_back");
  logger.set_propagate(false);
  logger.set_level(logging::Level::info);
  const auto handler = std::make_shared<logging::FileHandler>(file());
  logger.add_handler(handler);
  constexpr std::size_t threads = 3;
  std::atomic<bool> enough{false};
  std::array<int, threads> logged{};
  std::vector<std::thread> load;
  for (std::size_t i = 0; i < threads; ++i) {
    load.emplace_back([&, i] {
      for (; !enough; ++logged[i]) logger.info("{} {}", i, logged[i]);
    });
  }
  for (int n = 0; n < 100; ++n) {
    EXPECT_EQ(in_child([&] {
                logger.info("{} {}", threads, n);
                handler->flush();
              }),
              0);
  }
  enough = true;
  for (std::thread& thread : load) thread.join();
  handler->flush();
  std::array<int, threads + 1> seen{};
  std::ifstream lines(file());
  std::size_t who = 0;
  for (int number = 0; lines >> who >> number; ++seen[who]) {
    ASSERT_LT(who, seen.size());
    ASSERT_EQ(number, seen[who]) << "of thread " << who;
  }
  for (std::size_t i = 0; i < threads; ++i) EXPECT_EQ(seen[i], logged[i]);
  EXPECT_EQ(seen[threads], 100);
}

TEST_F(ReliabilityTest, ChildrenLogThoughTheListenersThreadIsNotTheirs) {
  if (!a_child_may_allocate) GTEST_SKIP() << "not under a sanitizer";
  Logger& logger = get_logger("fork.queue");
  logger.set_propagate(false);
  const auto queue = std::make_shared<logging::RecordQueue>(16);
  logging::QueueListener listener(queue, {to_file()});
  listener.start();
  logger.add_handler(std::make_shared<logging::QueueHandler>(queue));
  fork_under_load(logger, 100);
  listener.stop();
  expect_lines_of_children(file(), 100);
}

TEST_F(ReliabilityTest, ChildrenLogIntoAQueueThatHasNoListener) {
  if (!a_child_may_allocate) GTEST_SKIP() << "not under a sanitizer";
  Logger& logger = get_logger("fork.own_queue");
  logger.set_propagate(false);
  const auto queue = std::make_shared<logging::RecordQueue>(16);
  const auto handler =
      std::make_shared<logging::QueueHandler>(queue, logging::Overflow::drop_oldest);
  logger.add_handler(handler);
  std::atomic<bool> enough{false};
  std::vector<std::thread> load;
  for (int i = 0; i < 2; ++i) {
    load.emplace_back([&] {
      while (!enough) logger.warning("parent");
    });
  }
  load.emplace_back([&] {
    while (!enough) {
      if (queue->try_get(std::chrono::milliseconds(1))) queue->task_done();
    }
  });
  int good = 0;
  constexpr int forks = 100;
  const auto log_and_listen = [&](int n) {
    if (!queue->empty() || !handler->flush(conc::at_once)) ::_exit(1);
    logger.warning("child {}", n);
    logging::QueueListener listener(queue, {to_file()});
    listener.start();
    listener.stop();
  };
  while (good < forks && in_child([&] { log_and_listen(good); }) == 0) ++good;
  enough = true;
  for (std::thread& thread : load) thread.join();
  EXPECT_EQ(good, forks);
  expect_lines_of_children(file(), forks);
}

TEST_F(ReliabilityTest, ChildrenEndTheListenerThatIsTheParentsAndStartTheirOwn) {
  if (!a_child_may_allocate) GTEST_SKIP() << "not under a sanitizer";
  Logger& logger = get_logger("fork.listeners");
  logger.set_propagate(false);
  const auto queue = std::make_shared<logging::RecordQueue>();
  const auto memory = std::make_shared<logging::MemoryHandler>(1000);
  logging::QueueListener listener(queue, {memory});
  listener.start();
  logger.add_handler(std::make_shared<logging::QueueHandler>(queue));
  int good = 0;
  constexpr int forks = 100;
  const auto listen = [&](int n) {
    logger.warning("handed on at once");
    if (memory->size() != 1) ::_exit(1);
    if (n % 2 == 0) listener.stop();
    if (listener.running() != (n % 2 == 1)) ::_exit(2);
    logging::QueueListener own(queue, {to_file()});
    own.start();
    logger.warning("child {}", n);
    own.stop();
    if (own.running() || memory->size() != 1) ::_exit(3);
    if (n % 2 == 1) return;
    listener.start();
    logger.warning("again");
    listener.stop();
    if (memory->size() != 2) ::_exit(4);
  };
  while (good < forks && in_child([&] { listen(good); }) == 0) ++good;
  listener.stop();
  EXPECT_EQ(good, forks);
  expect_lines_of_children(file(), forks);
}

TEST_F(ReliabilityTest, ChildrenLogIntoAMemoryHandler) {
  if (!a_child_may_allocate) GTEST_SKIP() << "not under a sanitizer";
  Logger& logger = get_logger("fork.memory");
  logger.set_propagate(false);
  const auto memory = std::make_shared<logging::MemoryHandler>(5, to_file());
  logger.add_handler(memory);
  std::atomic<bool> enough{false};
  std::thread load([&] {
    while (!enough) logger.warning("parent");
  });
  constexpr int forks = 100;
  int good = 0;
  for (int n = 0; n < forks; ++n) {
    const int status = in_child([&] {
      if (memory->size() != 0) ::_exit(1);
      logger.error("child {}", n);
      if (memory->size() != 0) ::_exit(1);
    });
    if (status == 0) ++good;
  }
  enough = true;
  load.join();
  EXPECT_EQ(good, forks);
  expect_lines_of_children(file(), forks);
}

TEST_F(ReliabilityTest, ChildrenConfigureLoggersWhileThreadsDo) {
  if (!a_child_may_allocate) GTEST_SKIP() << "not under a sanitizer";
  std::atomic<bool> enough{false};
  std::vector<std::thread> load;
  for (int i = 0; i < 3; ++i) {
    load.emplace_back([&, i] {
      Logger& logger = get_logger("fork.config." + std::to_string(i));
      for (int n = 0; !enough; ++n) {
        const auto handler = std::make_shared<logging::NullHandler>();
        logger.add_handler(handler);
        handler->set_formatter(std::make_shared<logging::Formatter>());
        logger.set_level(n % 2 == 0 ? logging::Level::debug : logging::Level::error);
        logging::add_level_name(static_cast<logging::Level>(60 + i), "L" + std::to_string(n % 9));
        logger.remove_handler(handler);
      }
    });
  }
  int good = 0;
  constexpr int forks = 100;
  for (int n = 0; n < forks; ++n) {
    const int status = in_child([&] {
      for (int i = 0; i < 3; ++i) {
        Logger& logger = get_logger("fork.config." + std::to_string(i));
        logger.add_handler(to_file());
        logger.critical("child");
        logging::add_level_name(static_cast<logging::Level>(70), "SEVENTY");
        get_logger("fork.config.child");
      }
      logging::shutdown();
    });
    if (status == 0) ++good;
  }
  enough = true;
  for (std::thread& thread : load) thread.join();
  EXPECT_EQ(good, forks);
}

TEST_F(ReliabilityTest, ChildrenWriteTimesWhileThreadsDo) {
  if (!a_child_may_allocate) GTEST_SKIP() << "not under a sanitizer";
  const logging::NullHandler handler;  // without any, logging does nothing about forks
  // For the seconds since 1970 and the zone's name strftime() takes a lock of the C library's.
  const logging::Formatter formatter("%(asctime)s", "%s %Z");
  std::atomic<bool> enough{false};
  std::atomic<std::int64_t> second{0};
  // Each record has a second of its own, so that no text is at hand.
  const auto write_next = [&] {
    const std::chrono::seconds time(second.fetch_add(1));
    std::string line;
    formatter.format({.created = std::chrono::system_clock::time_point(time)}, line);
  };
  std::vector<std::thread> load;
  for (int i = 0; i < 2; ++i) {
    load.emplace_back([&] {
      while (!enough) write_next();
    });
  }
  int good = 0;
  constexpr int forks = 200;
  while (good < forks && in_child(write_next) == 0) ++good;
  enough = true;
  for (std::thread& thread : load) thread.join();
  EXPECT_EQ(good, forks);
}

TEST_F(ReliabilityTest, ThreadThatWaitsForTheReaderOfAPipeKeepsNobodyFromForking) {
  if (!a_child_may_allocate) GTEST_SKIP() << "not under a sanitizer";
  ASSERT_EQ(::mkfifo(file("pipe").c_str(), 0600), 0);
  Logger& logger = get_logger("fork.pipe");
  logger.set_propagate(false);
  logger.add_handler(to_file());
  int reader = -1;
  std::atomic<int> status{-1};
  std::thread forking;
  {
    // It sleeps in open() when the signal is sent, and goes on waiting there.
    Interrupted configuring(
        [&] { logging::basic_config({.filename = file("pipe"), .force = true}); });
    EXPECT_TRUE(configuring.interrupt(1));
    // In a thread: one that could not fork would wait for the reader as well.
    forking = std::thread([&] { status = in_child([&] { logger.warning("child {}", 0); }); });
    EXPECT_TRUE(eventually([&] { return status == 0; }));
    reader = ::open(file("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    EXPECT_GE(reader, 0);
  }
  forking.join();
  EXPECT_EQ(get_logger().handlers().size(), 1u);
  expect_lines_of_children(file(), 1);
  reset();
  ::close(reader);
}

TEST_F(ReliabilityTest, ForkInsideOfAHandlerNeitherHangsNorBreaksItsLock) {
  class Forking : public logging::Handler {
   public:
    int status = -1;

   private:
    void emit(const logging::LogRecord& record, std::string_view) override {
      if (record.message != "fork") return;
      // What the child logs waits, as all that a handler logs, until emit() returns: there never.
      status = in_child([] { get_logger("fork.self").warning("child"); });
    }
  };
  Logger& logger = get_logger("fork.self");
  logger.set_propagate(false);
  const auto forking = std::make_shared<Forking>();
  logger.add_handler(to_file());
  logger.add_handler(forking);
  logger.warning("fork");
  EXPECT_EQ(forking->status, 0);
  logger.warning("and on");
  const std::string text = content(file());
  EXPECT_NE(text.find(" fork\n"), std::string::npos) << text;
  EXPECT_NE(text.find(" and on\n"), std::string::npos) << text;
}

// Every line that the child says is logged must be there, whole, after kill -9; behind it at most
// one that it was at, which may be torn.
class KillTest : public ReliabilityTest,
                 public ::testing::WithParamInterface<std::pair<logging::Flush, logging::Level>> {};

INSTANTIATE_TEST_SUITE_P(
    , KillTest,
    ::testing::Values(std::pair{logging::Flush::every_record, logging::Level::info},
                      std::pair{logging::Flush::warnings, logging::Level::warning}),
    [](const auto& one) {
      return one.param.first == logging::Flush::warnings ? "Warnings" : "EveryRecord";
    });

TEST_P(KillTest, NoAcknowledgedLineIsLost) {
  const auto [flush, level] = GetParam();
  void* const shared = ::mmap(nullptr, sizeof(std::atomic<std::int64_t>), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  auto* const acknowledged = ::new (shared) std::atomic<std::int64_t>(0);
  const std::string filling(80, 'x');
  Dice dice(3);
  for (int round = 0; round < 40; ++round) {
    acknowledged->store(0);
    fs::remove(file());
    const ::pid_t child = ::fork();
    if (child == 0) {
      ::alarm(60);
      Logger& logger = get_logger("killed");
      logger.set_propagate(false);
      logger.set_level(level);
      logger.add_handler(
          std::make_shared<logging::FileHandler>(file(), logging::FileOptions{.flush = flush}));
      for (std::int64_t n = 1;; ++n) {
        logger.log(level, "{} {}", n, filling);
        acknowledged->store(n, std::memory_order_release);
      }
    }
    const int enough = 1 + dice.roll(2000);
    const bool got_there = eventually([&] { return acknowledged->load() >= enough; });
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(got_there);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

    const std::int64_t promised = acknowledged->load();
    std::ifstream lines(file());
    std::int64_t next = 1;
    std::string line;
    for (; std::getline(lines, line) && !lines.eof(); ++next) {
      ASSERT_EQ(line, std::to_string(next) + " " + filling);
    }
    EXPECT_GE(next - 1, promised);
    EXPECT_LE(next - 1, promised + 1);
  }
  ::munmap(shared, sizeof(std::atomic<std::int64_t>));
}

const std::map<std::string, std::function<int()>>& scenarios() {
  static const std::map<std::string, std::function<int()>> all{
      {"forks_at_the_first_records", forks_at_the_first_records},
  };
  return all;
}

}  // namespace
}  // namespace conc::test

int main(int argc, char** argv) {
  if (const auto status = conc::test::run_scenario(conc::test::scenarios())) return *status;
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

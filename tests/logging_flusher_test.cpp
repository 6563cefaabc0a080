// What is held back is written in time, whoever is stuck. Where threads are counted, in a process
// of its own, which has none of the flusher's before.
#include "../src/logging/flusher.hpp"

#include <conc/logging/file_handler.hpp>
#include <conc/thread_info.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.hpp"
#include "eventually.hpp"
#include "forked.hpp"
#include "logging_files.hpp"

namespace conc::test {
namespace {

using logging::FileHandler;
using logging::detail::Flusher;

// As eventually(), but lets others have the processor: what it waits for is nearly a second away.
template <class Predicate>
[[nodiscard]] bool soon(Predicate&& predicate) {
  return eventually([&] { return predicate() || (::poll(nullptr, 0, 1), predicate()); });
}

// ---- Clients

// Counts its turns; a thread that comes while it is shut stays inside.
class Client final : public Flusher::Client {
 public:
  Client() = default;
  ~Client() {
    open();
    Flusher::leave(*this);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void flush_late() noexcept override {
    std::unique_lock lock(mutex_);
    most_inside_ = std::max(most_inside_, ++inside_);
    opened_.wait(lock, [this] { return !shut_; });
    --inside_;
    ++turns_;
  }

  void shut() {
    const std::lock_guard lock(mutex_);
    shut_ = true;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    shut_ = false;
    opened_.notify_all();
  }
  // Returns once a thread is inside.
  [[nodiscard]] bool stick() {
    shut();
    return Flusher::ask(*this) && soon([this] { return inside() == 1; });
  }

  [[nodiscard]] int turns() const { return read(turns_); }
  [[nodiscard]] int inside() const { return read(inside_); }
  [[nodiscard]] int most_inside() const { return read(most_inside_); }

 private:
  [[nodiscard]] int read(const int& number) const {
    const std::lock_guard lock(mutex_);
    return number;
  }

  mutable std::mutex mutex_;
  std::condition_variable opened_;
  bool shut_ = false;
  int turns_ = 0;
  int inside_ = 0;
  int most_inside_ = 0;
};

// Asks and returns once it has had its turn.
[[nodiscard]] bool has_a_turn(Client& client) {
  const int before = client.turns();
  return Flusher::ask(client) && soon([&] { return client.turns() > before; });
}

std::ptrdiff_t threads() {
  const auto all = enumerate();
  return std::count_if(all.begin(), all.end(),
                       [](const ThreadInfo& one) { return one.name == "logging.flusher"; });
}

// For a process of its own, where EXPECT does not reach.
bool is(bool fact, const char* claim) {
  if (!fact) std::cerr << "not so: " << claim << '\n';
  return fact;
}
#define CONC_TEST_IS(...) is((__VA_ARGS__), #__VA_ARGS__)

TEST(Flusher, ClientThatIsStuckHoldsUpNoOther) {
  Client stuck, one, other;
  ASSERT_TRUE(stuck.stick());
  ASSERT_TRUE(Flusher::ask(one));
  EXPECT_TRUE(has_a_turn(other));
  EXPECT_TRUE(soon([&] { return one.turns() == 1; }));
  EXPECT_EQ(stuck.turns(), 0);
}

TEST(Flusher, ThoseThatWaitWhileOneBecomesStuckAreNotHeldUp) {
  Client stuck;
  std::deque<Client> others(20);
  stuck.shut();
  ASSERT_TRUE(Flusher::ask(stuck));
  for (Client& one : others) ASSERT_TRUE(Flusher::ask(one));
  EXPECT_TRUE(soon([&] {
    return std::all_of(others.begin(), others.end(),
                       [](const Client& one) { return one.turns() == 1; });
  }));
  EXPECT_TRUE(soon([&] { return stuck.inside() == 1; }));
}

TEST(Flusher, ClientThatIsAskedWhileItIsStuckHasAnotherTurnAfterwards) {
  Client stuck, other;
  ASSERT_TRUE(stuck.stick());
  ASSERT_TRUE(Flusher::ask(stuck));
  // Its time comes before the other's.
  EXPECT_TRUE(has_a_turn(other));
  EXPECT_EQ(stuck.turns(), 0);
  stuck.open();
  EXPECT_TRUE(soon([&] { return stuck.turns() == 2; }));
  EXPECT_EQ(stuck.most_inside(), 1);
}

TEST(Flusher, WhoLeavesWaitsForItsTurnToEndAndForNoOther) {
  Client stuck;
  ASSERT_TRUE(stuck.stick());
  {
    Client other;
    ASSERT_TRUE(Flusher::ask(other));
  }
  std::atomic<bool> left{false};
  ASSERT_TRUE(Flusher::ask(stuck));
  std::thread leaver([&] {
    Flusher::leave(stuck);
    left = true;
  });
  Client other;
  EXPECT_TRUE(has_a_turn(other));
  EXPECT_FALSE(left);
  stuck.open();
  leaver.join();
  EXPECT_EQ(stuck.inside(), 0);
}

// ---- Threads

int one_client_takes_one_thread() {
  Client client;
  if (!CONC_TEST_IS(client.stick()) || !CONC_TEST_IS(Flusher::ask(client))) return 1;
  client.open();
  if (!CONC_TEST_IS(soon([&] { return client.turns() == 2; }))) return 1;
  return CONC_TEST_IS(threads() == 1) ? 0 : 1;
}

int one_more_for_each_that_is_stuck() {
  std::deque<Client> stuck(2);
  Client one, other;
  for (std::size_t i = 0; i < stuck.size(); ++i) {
    if (!CONC_TEST_IS(stuck[i].stick())) return 1;
    // All that are stuck have been asked again, and are passed over.
    for (std::size_t k = 0; k <= i; ++k) {
      if (!CONC_TEST_IS(Flusher::ask(stuck[k]))) return 1;
    }
    if (!CONC_TEST_IS(Flusher::ask(one)) || !CONC_TEST_IS(has_a_turn(other))) return 1;
    if (!CONC_TEST_IS(threads() <= static_cast<std::ptrdiff_t>(i + 1) + 2)) return 1;
  }
  for (Client& client : stuck) client.open();
  for (Client& client : stuck) {
    if (!CONC_TEST_IS(soon([&] { return client.turns() == 2; }))) return 1;
    if (!CONC_TEST_IS(client.most_inside() == 1)) return 1;
  }
  if (!CONC_TEST_IS(soon([] { return threads() == 2; }))) return 1;
  return CONC_TEST_IS(has_a_turn(one)) ? 0 : 1;
}

// Were each of them left to another thread, there would be hundreds for a moment.
int many_that_are_due_together_take_few_threads() {
  std::deque<Client> clients(500);
  for (Client& client : clients) {
    if (!Flusher::ask(client)) return 1;
  }
  std::ptrdiff_t most = 0;
  const auto all_done = [&] {
    most = std::max(most, threads());
    return std::all_of(clients.begin(), clients.end(),
                       [](const Client& client) { return client.turns() == 1; });
  };
  return CONC_TEST_IS(soon(all_done)) && CONC_TEST_IS(most < 20) ? 0 : 1;
}

class FlusherThreads : public ::testing::TestWithParam<const char*> {};

TEST_P(FlusherThreads, AreFew) {
  const ChildEnd end = run_child(GetParam());
  EXPECT_EQ(end.status, 0) << end.output;
}

INSTANTIATE_TEST_SUITE_P(Flusher, FlusherThreads,
                         ::testing::Values("OneClientTakesOneThread", "OneMoreForEachThatIsStuck",
                                           "ManyThatAreDueTogetherTakeFewThreads"),
                         [](const auto& scenario) { return scenario.param; });

// ---- Files

void log(FileHandler& handler, const std::string& text) {
  handler.handle({.level = logging::Level::info, .message = text});
}

// A pipe with a name, full, so that whoever writes to it is stuck until it is read.
class FullPipe {
 public:
  explicit FullPipe(const fs::path& path) {
    if (::mkfifo(path.c_str(), 0600) != 0) return;
    reader_ = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    const int writer = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    const std::string block(1024, '.');
    // To the last byte.
    for (std::size_t size : {block.size(), std::size_t{1}}) {
      ::ssize_t count = 0;
      while ((count = ::write(writer, block.data(), size)) > 0) {
        filling_ += static_cast<std::size_t>(count);
      }
    }
    ::close(writer);
  }
  ~FullPipe() { ::close(reader_); }
  FullPipe(const FullPipe&) = delete;
  FullPipe& operator=(const FullPipe&) = delete;

  // Reads until so many bytes have come after those that filled it, and returns these.
  [[nodiscard]] std::string read(std::size_t size) {
    std::string text;
    static_cast<void>(soon([&] {
      char part[4096];
      const ::ssize_t count = ::read(reader_, part, sizeof part);
      if (count > 0) text.append(part, static_cast<std::size_t>(count));
      return text.size() >= filling_ + size;
    }));
    return text.substr(std::min(text.size(), std::exchange(filling_, 0)));
  }

 private:
  int reader_ = -1;
  std::size_t filling_ = 0;
};

class FlusherFileTest : public LoggingFileTest {
 protected:
  [[nodiscard]] bool comes(const char* name, const std::string& text) const {
    return soon([&] { return content(file(name)) == text; });
  }
};

TEST_F(FlusherFileTest, PipeThatNobodyReadsHoldsUpNoFile) {
  FullPipe pipe(file("pipe"));
  FileHandler stuck(file("pipe")), healthy(file());
  log(stuck, "one");
  log(stuck, "two");
  log(healthy, "news");
  EXPECT_TRUE(comes("app.log", "news\n"));
  log(healthy, "more");
  EXPECT_TRUE(comes("app.log", "news\nmore\n"));
  EXPECT_EQ(pipe.read(8), "one\ntwo\n");
  log(stuck, "three");
  stuck.close();
  EXPECT_EQ(pipe.read(6), "three\n");
  EXPECT_EQ(stuck.lost(), 0u);
}

TEST_F(FlusherFileTest, ThreadThatIsStuckWithTheHandlersLockHoldsUpNoFile) {
  FullPipe pipe(file("pipe"));
  FileHandler stuck(file("pipe")), healthy(file());
  log(stuck, "one");
  std::thread writer([&] { stuck.handle({.level = logging::Level::warning, .message = "two"}); });
  log(healthy, "news");
  EXPECT_TRUE(comes("app.log", "news\n"));
  EXPECT_EQ(pipe.read(8), "one\ntwo\n");
  writer.join();
}

TEST_F(FlusherFileTest, TwoPipesThatNobodyReadsHoldUpNoFile) {
  FullPipe pipe_one(file("pipe1")), pipe_two(file("pipe2"));
  FileHandler one(file("pipe1")), two(file("pipe2")), healthy(file());
  log(one, "one");
  log(two, "two");
  log(healthy, "news");
  EXPECT_TRUE(comes("app.log", "news\n"));
  EXPECT_EQ(pipe_two.read(4), "two\n");
  log(healthy, "more");
  EXPECT_TRUE(comes("app.log", "news\nmore\n"));
  EXPECT_EQ(pipe_one.read(4), "one\n");
}

// The child is stuck, too, in the pipe that it shares, and has another file written still.
TEST_F(FlusherFileTest, ChildOfAForkHasItsLinesWrittenThoughTheParentIsStuck) {
  if (!a_child_may_allocate) GTEST_SKIP() << "not under a sanitizer";
  FullPipe pipe(file("pipe"));
  FileHandler stuck(file("pipe")), other(file("other.log")), healthy(file());
  log(stuck, "one");
  log(other, "other");
  // One thread is in the pipe by then.
  EXPECT_TRUE(comes("other.log", "other\n"));
  const int status = in_child([&] {
    log(stuck, "two");
    log(healthy, "news");
    ::_exit(comes("app.log", "news\n") ? 0 : 1);
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  log(healthy, "parent");
  EXPECT_TRUE(comes("app.log", "news\nparent\n"));
  EXPECT_EQ(pipe.read(4), "one\n");
}

// With the library of support/refuse_threads.cpp preloaded.
TEST_F(FlusherFileTest, WithoutThreadsForAllTheRestWaitOrWriteThemselves) {
  const auto allow_threads =
      reinterpret_cast<void (*)(long)>(::dlsym(RTLD_DEFAULT, "conc_test_allow_threads"));
  if (allow_threads == nullptr) GTEST_SKIP() << "Skipped: libconc_refuse_threads is not preloaded";
  Client stuck, waiting, late;
  FileHandler handler(file());
  allow_threads(1);
  stuck.shut();
  EXPECT_TRUE(Flusher::ask(stuck));
  EXPECT_TRUE(Flusher::ask(waiting));
  EXPECT_TRUE(soon([&] { return stuck.inside() == 1; }));
  EXPECT_FALSE(Flusher::ask(late));
  log(handler, "news");
  EXPECT_EQ(content(file()), "news\n");
  EXPECT_TRUE(Flusher::ask(stuck));
  EXPECT_EQ(waiting.turns(), 0);
  stuck.open();
  EXPECT_TRUE(soon([&] { return waiting.turns() == 1 && stuck.turns() == 2; }));
  // As soon as the thread is back.
  EXPECT_TRUE(soon([&] { return Flusher::ask(late); }));
  EXPECT_TRUE(soon([&] { return late.turns() == 1; }));
  EXPECT_EQ(threads(), 1);
  stuck.shut();
  EXPECT_TRUE(Flusher::ask(stuck));
  EXPECT_TRUE(soon([&] { return stuck.inside() == 1; }));
  EXPECT_FALSE(Flusher::ask(late));
  allow_threads(-1);
  EXPECT_TRUE(has_a_turn(late));
}

// ---- The process's end

FileHandler& handler_for_ever(const char* path) { return *new FileHandler(std::getenv(path)); }

// A thread of the flusher's is in the pipe when the process begins to end.
int exit_behind_a_thread_that_is_stuck() {
  FileHandler& stuck = handler_for_ever("CONC_TEST_PIPE");
  FileHandler& first = handler_for_ever("CONC_TEST_FIRST");
  log(stuck, "one");
  log(first, "first");
  if (!CONC_TEST_IS(soon([&] { return fs::file_size(first.path()) != 0; }))) return 1;
  log(handler_for_ever("CONC_TEST_FILE"), "news");
  return 0;
}

// It is most likely the thread that ends the process that gets stuck.
int exit_into_a_pipe() {
  FileHandler& stuck = handler_for_ever("CONC_TEST_PIPE");
  FileHandler& healthy = handler_for_ever("CONC_TEST_FILE");
  log(stuck, "one");
  log(healthy, "news");
  return 0;
}

class FlusherAtExit : public FlusherFileTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(FlusherAtExit, WaitsForAPipeWhenTheOthersAreWritten) {
  FullPipe pipe(file("pipe"));
  bool came = false;
  std::string read;
  std::thread reader([&] {
    came = comes("app.log", "news\n");
    read = pipe.read(4);
  });
  const ChildEnd end = run_child(
      GetParam(), {"CONC_TEST_PIPE=" + file("pipe").string(), "CONC_TEST_FILE=" + file().string(),
                   "CONC_TEST_FIRST=" + file("first.log").string()});
  reader.join();
  EXPECT_EQ(end.status, 0) << end.output;
  EXPECT_TRUE(came);
  EXPECT_EQ(read, "one\n");
}

INSTANTIATE_TEST_SUITE_P(Flusher, FlusherAtExit,
                         ::testing::Values("ExitBehindAThreadThatIsStuck", "ExitIntoAPipe"),
                         [](const auto& scenario) { return scenario.param; });

const std::map<std::string, std::function<int()>>& scenarios() {
  static const std::map<std::string, std::function<int()>> all{
      {"OneClientTakesOneThread", one_client_takes_one_thread},
      {"OneMoreForEachThatIsStuck", one_more_for_each_that_is_stuck},
      {"ManyThatAreDueTogetherTakeFewThreads", many_that_are_due_together_take_few_threads},
      {"ExitBehindAThreadThatIsStuck", exit_behind_a_thread_that_is_stuck},
      {"ExitIntoAPipe", exit_into_a_pipe},
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

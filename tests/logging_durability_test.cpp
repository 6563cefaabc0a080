// What is in the file when a process has ended, one way or another. This process itself logs
// nothing, so that it has one thread when it forks.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "eventually.hpp"
#include "logging_files.hpp"
#include "sanitizers.hpp"

namespace conc::test {
namespace {

using logging::get_logger;
using logging::Logger;

// Their allocators are not taken over a fork: the child hangs when a thread of the parent's was
// just allocating.
constexpr bool threads_may_start_in_a_child_of_threads = !CONC_TEST_ASAN && !CONC_TEST_TSAN;
constexpr bool sanitizer_handles_faults = CONC_TEST_ASAN || CONC_TEST_TSAN;

void own_handler(int) { ::_exit(7); }

// "2 17": the thread, and which of its lines it is.
struct Line {
  std::size_t who = 0;
  int number = 0;
};
// Nothing for a part of a line.
std::optional<Line> parse(const std::string& text, std::size_t threads) {
  std::istringstream words(text);
  Line line;
  std::string rest;
  if (!(words >> line.who >> line.number) || words >> rest || line.who >= threads) return {};
  return line;
}

class DurabilityTest : public LoggingFileTest {
 protected:
  // Logs "1" to "100" as information in a process of its own, which goes on with `end`; returns how
  // it ended.
  template <class End>
  int log_and(End&& end) {
    return in_child([&] {
      Logger& logger = to_file();
      for (int i = 1; i <= 100; ++i) logger.info("{}", i);
      end();
    });
  }

  template <class Child>
  static int in_child(Child&& child) {
    const ::pid_t pid = ::fork();
    if (pid == 0) {
      ::alarm(30);
      child();
      ::_exit(99);
    }
    int status = -1;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return status;
  }

  static Logger& to_handler(std::shared_ptr<logging::Handler> handler) {
    Logger& logger = get_logger("durable");
    logger.set_propagate(false);
    logger.set_level(logging::Level::info);
    logger.add_handler(std::move(handler));
    return logger;
  }
  Logger& to_file() const { return to_handler(std::make_shared<logging::FileHandler>(file())); }

  static std::string numbers(int first, int last) {
    std::string lines;
    for (int i = first; i <= last; ++i) lines += std::to_string(i) + "\n";
    return lines;
  }
  void expect_all() const { EXPECT_EQ(content(file()), numbers(1, 100)); }
};

TEST_F(DurabilityTest, ExitWritesEverything) {
  const int status = log_and([] { std::exit(0); });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  expect_all();
}

TEST_F(DurabilityTest, ExitWritesWhatAHandlerWithoutALoggerHoldsBack) {
  const int status = in_child([&] {
    static auto* const handler = new logging::FileHandler(file());
    handler->handle({.level = logging::Level::info, .message = "1"});
    std::exit(0);
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(content(file()), "1\n");
}

TEST_F(DurabilityTest, WhatIsLoggedAfterTheHandlersWereClosedIsWritten) {
  const int status = in_child([&] {
    std::atexit([] { get_logger("durable").info("last"); });  // runs after logging's own
    to_file().info("first");
    std::exit(0);
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(content(file()), "first\nlast\n");
}

TEST_F(DurabilityTest, ExitWithoutMoreKeepsWarningsAndWhatCameBeforeThem) {
  const int status = in_child([&] {
    Logger& logger = to_file();
    logger.info("1");
    logger.warning("2");
    logger.info("3");
    ::_exit(0);
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_TRUE(content(file()).starts_with("1\n2\n")) << content(file());
}

TEST_F(DurabilityTest, AbortWritesEverythingIfAskedFor) {
  const int status = log_and([] {
    logging::flush_on_crash();
    std::abort();
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  expect_all();
}

TEST_F(DurabilityTest, CrashWritesWhatIsHeldBackForAFileThatWasRolledOver) {
  const int status = in_child([&] {
    auto handler = std::make_shared<logging::RotatingFileHandler>(
        file(), logging::RotatingOptions{.max_bytes = 200, .backup_count = 9});
    Logger& logger = to_handler(handler);
    logging::flush_on_crash();
    for (int i = 1; i <= 100; ++i) logger.info("{}", i);
    std::abort();
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  fs::path before = file();
  before += ".1";
  EXPECT_EQ(content(before) + content(file()), numbers(1, 100));
  EXPECT_FALSE(content(file()).empty());
}

TEST_F(DurabilityTest, CrashWritesWhatIsHeldBackForAFileThatWasMovedAway) {
  fs::path moved = file();
  moved += ".moved";
  const int status = in_child([&] {
    Logger& logger = to_handler(std::make_shared<logging::WatchedFileHandler>(file()));
    logging::flush_on_crash();
    for (int i = 1; i <= 50; ++i) logger.info("{}", i);
    fs::rename(file(), moved);
    for (int i = 51; i <= 100; ++i) logger.info("{}", i);
    std::abort();
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  EXPECT_EQ(content(moved), numbers(1, 50));
  EXPECT_EQ(content(file()), numbers(51, 100));
}

TEST_F(DurabilityTest, FaultWritesEverythingIfAskedFor) {
  const int status = log_and([] {
    logging::flush_on_crash();
    logging::flush_on_crash();  // once more is the same
    std::raise(SIGSEGV);
  });
  if (!sanitizer_handles_faults) {
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
  }
  EXPECT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) == 99);
  expect_all();
}

TEST_F(DurabilityTest, InstructionThatFailsEndsTheProcessStill) {
  if (sanitizer_handles_faults) GTEST_SKIP() << "a sanitizer sees to it";
  const int status = log_and([] {
    logging::flush_on_crash();
    // The compiler does not see that it is null.
    volatile std::uintptr_t nowhere = 0;
    *reinterpret_cast<volatile int*>(nowhere) = 1;
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
  expect_all();
}

TEST_F(DurabilityTest, RequestToEndWritesEverythingIfAskedFor) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) {
    fs::remove(file());
    const int status = log_and([signal] {
      logging::flush_on_crash();
      ::kill(::getpid(), signal);
    });
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal);
    expect_all();
  }
}

TEST_F(DurabilityTest, ProgramsOwnHandlerForACrashRunsAfterwards) {
  const int status = log_and([] {
    std::signal(SIGABRT, own_handler);
    logging::flush_on_crash();
    std::abort();
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  expect_all();
}

TEST_F(DurabilityTest, NothingIsWrittenTwiceIfTheProgramGoesOn) {
  const int status = log_and([] {
    std::signal(SIGABRT, [](int) {});
    logging::flush_on_crash();
    std::raise(SIGABRT);
    std::exit(0);
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  expect_all();
}

// They go on logging while the process ends; what they had logged when that began is there.
TEST_F(DurabilityTest, CrashWritesWhatAllThreadsHadLogged) {
  if (!threads_may_start_in_a_child_of_threads) GTEST_SKIP() << "not under a sanitizer";
  constexpr int threads = 4;
  using Counts = std::array<std::atomic<int>, threads>;
  void* const shared = ::mmap(nullptr, 2 * sizeof(Counts), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  auto* const logged = ::new (shared) Counts[2];
  Counts& promised = logged[1];
  for (int round = 0; round < 20; ++round) {
    fs::remove(file());
    for (auto& count : logged[0]) count = 0;
    const int status = in_child([&] {
      Logger& logger = to_file();
      logging::flush_on_crash();
      std::vector<std::thread> team;
      for (std::size_t me = 0; me < threads; ++me) {
        team.emplace_back([&, me] {
          for (;;) {
            logger.info("{} {}", me, logged[0][me].load());
            ++logged[0][me];
          }
        });
      }
      while (logged[0][0] < 100 * (round + 1)) std::this_thread::yield();
      for (std::size_t i = 0; i < threads; ++i) promised[i] = logged[0][i].load();
      std::abort();
    });
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    std::array<int, threads> seen{};
    std::istringstream lines(content(file()));
    for (std::string line; std::getline(lines, line);) {
      const std::optional<Line> one = parse(line, threads);
      // A write that the end of the process has cut off may have left a part of a line.
      if (!one) continue;
      // Of those that followed there may be some. A thread that was just writing writes twice.
      if (one->number >= promised[one->who]) continue;
      ASSERT_LE(one->number, seen[one->who]);
      if (one->number == seen[one->who]) ++seen[one->who];
    }
    for (std::size_t i = 0; i < threads; ++i) EXPECT_EQ(seen[i], promised[i]) << "thread " << i;
  }
  ::munmap(shared, 2 * sizeof(Counts));
}

// Blocks are written, cleared and filled again while they are saved.
TEST_F(DurabilityTest, NothingIsLostIfTheProgramGoesOnWhileThreadsLog) {
  if (!threads_may_start_in_a_child_of_threads) GTEST_SKIP() << "not under a sanitizer";
  constexpr std::size_t threads = 3;
  using Counts = std::array<int, threads>;
  void* const shared =
      ::mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  Counts& logged = *::new (shared) Counts{};
  const int status = in_child([&] {
    Logger& logger = to_file();
    std::signal(SIGABRT, [](int) {});
    std::atomic<bool> enough{false};
    std::vector<std::thread> team;
    for (std::size_t me = 0; me < threads; ++me) {
      team.emplace_back([&, me] {
        for (; !enough; ++logged[me]) logger.info("{} {}", me, logged[me]);
      });
    }
    for (int i = 0; i < 3000; ++i) {
      logging::flush_on_crash();
      std::raise(SIGABRT);
    }
    enough = true;
    for (auto& one : team) one.join();
    std::exit(0);
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  Counts seen{};
  std::istringstream lines(content(file()));
  for (std::string line; std::getline(lines, line);) {
    const std::optional<Line> one = parse(line, threads);
    ASSERT_TRUE(one.has_value()) << line;
    ASSERT_LE(one->number, seen[one->who]) << "thread " << one->who;  // some are written twice
    if (one->number == seen[one->who]) ++seen[one->who];
  }
  EXPECT_EQ(seen, logged);
  ::munmap(shared, sizeof(Counts));
}

TEST_F(DurabilityTest, SignalsThatAreHandledOrIgnoredStayTheProgramsOwn) {
  const int status = log_and([] {
    std::signal(SIGTERM, own_handler);
    std::signal(SIGHUP, SIG_IGN);
    logging::flush_on_crash();
    std::raise(SIGHUP);
    if (std::signal(SIGTERM, SIG_DFL) != &own_handler) ::_exit(1);
    if (std::signal(SIGHUP, SIG_DFL) != SIG_IGN) ::_exit(2);
    std::exit(0);
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  expect_all();
}

TEST_F(DurabilityTest, ChildOfAForkLeavesItsParentsLinesToTheParent) {
  if (!threads_may_start_in_a_child_of_threads) GTEST_SKIP() << "not under a sanitizer";
  const int status = in_child([&] {
    Logger& logger = to_file();
    logger.info("parent");
    const int grandchild = in_child([&] {
      logger.info("child");
      std::exit(0);
    });
    logger.info("parent again");
    std::exit(grandchild == 0 ? 0 : 1);
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  std::istringstream lines(content(file()));
  std::multiset<std::string> found;
  for (std::string line; std::getline(lines, line);) found.insert(line);
  EXPECT_EQ(found, (std::multiset<std::string>{"child", "parent", "parent again"}));
}

TEST_F(DurabilityTest, ChildOfAForkHasItsLinesWrittenSoonToo) {
  if (!threads_may_start_in_a_child_of_threads) GTEST_SKIP() << "not under a sanitizer";
  const int status = in_child([&] {
    Logger& logger = to_file();
    logger.info("parent");
    const int grandchild = in_child([&] {
      logger.info("child");
      const bool written =
          eventually([&] { return content(file()).find("child\n") != std::string::npos; });
      ::_exit(written ? 0 : 1);
    });
    ::_exit(grandchild == 0 ? 0 : 1);
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace conc::test

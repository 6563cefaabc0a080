// What a program tells of its waits that was started with CONC_TRACE=1.

#include <conc/diagnostics.hpp>
#include <conc/event.hpp>
#include <conc/future.hpp>
#include <conc/hooks.hpp>
#include <conc/lifo_queue.hpp>
#include <conc/lock.hpp>
#include <conc/thread.hpp>
#include <conc/thread_pool_executor.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "asleep.hpp"
#include "child.hpp"
#include "eventually.hpp"
#include "reports.hpp"
#include "sanitizers.hpp"

namespace {

using conc::Event;
using conc::Lock;
using conc::Thread;
using conc::test::eventually;
using conc::test::eventually_waiting;
using conc::test::Reports;
using conc::test::run_child;
using conc::test::somebody_sleeps;

// ---- The scenarios: what the child's main() does, returning its exit status.

// Whether it is told, before long, in these words.
bool comes(const Reports& reports, const std::string& words) {
  const std::regex pattern("conc\\.trace: " + words);
  const bool came = eventually([&] {
    const std::vector<std::string> all = reports.messages();
    return std::any_of(all.begin(), all.end(),
                       [&](const std::string& one) { return std::regex_match(one, pattern); });
  });
  if (!came) {
    std::fprintf(stderr, "not told: %s\n", words.c_str());
    for (const std::string& one : reports.messages()) std::fprintf(stderr, "%s\n", one.c_str());
  }
  return came;
}

int waits_of_every_kind() {
  const Reports reports;
  Lock gun("gun");
  gun.acquire();
  Thread bill({.name = "Bill"}, [&gun] {
    gun.acquire();
    gun.release();
  });
  bill.start();
  if (!comes(reports, R"("Bill" \(\d+\) waits to acquire Lock "gun" held by "MainThread" \(1\))")) {
    return 1;
  }
  Thread jack({.name = "Jack"}, [&bill] { bill.join(); });
  jack.start();
  if (!comes(reports, R"("Jack" \(\d+\) waits to join Thread "Bill" \(\d+\))")) return 2;
  gun.release();
  jack.join();

  conc::LifoQueue<int> jobs(0, "jobs");
  Event go("go");
  conc::ThreadPoolExecutor pool(2);
  auto first = pool.submit([&jobs, &go] {
    go.wait();
    return jobs.get();
  });
  if (!comes(reports, R"("ThreadPool-\d+_0" \(\d+\) waits to see set Event "go")")) return 3;
  auto second = pool.submit([&first] { return first.result(); });
  if (!comes(reports, R"("ThreadPool-\d+_1" \(\d+\) waits to see done Future 0x[0-9a-f]+ run by )"
                      R"("ThreadPool-\d+_0" \(\d+\))")) {
    return 4;
  }
  go.set();
  if (!comes(reports, R"("ThreadPool-\d+_0" \(\d+\) waits to get from LifoQueue "jobs")")) return 5;
  jobs.put(7);
  return second.result() == 7 ? 0 : 6;
}

int idle_workers() {
  const Reports reports;
  Event go("go");
  conc::ThreadPoolExecutor pool(1);
  pool.submit([] {}).result();
  const bool was_idle = eventually(
      [] { return somebody_sleeps([](const auto& thread) { return thread.wait->idle; }); });
  if (!was_idle) return 3;
  pool.post([&go] { go.wait(); });
  if (!comes(reports, R"("ThreadPool-\d+_0" \(\d+\) waits to see set Event "go")")) return 1;
  go.set();
  pool.shutdown();
  for (const std::string& one : reports.messages()) {
    if (one.find("to work for") != std::string::npos) return 2;
  }
  return 0;
}

std::atomic<int> told{0};
Lock* lock_of_hook = nullptr;

int hook_that_waits() {
  static Lock busy("busy");
  static Lock gun("gun");
  lock_of_hook = &busy;
  busy.acquire();
  gun.acquire();
  conc::set_report_hook([](const conc::Report&) {
    ++told;
    lock_of_hook->acquire();
    lock_of_hook->release();
  });
  std::thread bill([] {
    gun.acquire();
    gun.release();
  });
  if (!eventually_waiting(busy, 1)) return 1;
  busy.release();
  gun.release();
  bill.join();
  return told == 1 ? 0 : 2;
}

int hook_that_fails() {
  std::signal(SIGSEGV, [](int) { ::_exit(7); });
  conc::set_report_hook([](const conc::Report&) {
    ::raise(SIGSEGV);
    ++told;
  });
  Lock gun("gun");
  gun.acquire();
  static_cast<void>(gun.acquire(std::chrono::milliseconds(1)));
  return eventually([] { return told != 0; }) ? 1 : 2;
}

int wait_once(const char* name) {
  Lock gun(name);
  gun.acquire();
  Thread bill({.name = "Bill"},
              [&gun] { static_cast<void>(gun.acquire(std::chrono::milliseconds(20))); });
  bill.start();
  while (bill.is_alive()) std::this_thread::yield();
  gun.release();
  return 0;
}

int one_wait() { return wait_once("gun"); }

// Its last wait is still to be told when main() returns.
int ends_at_once() {
  static std::atomic<bool> ending{false};
  std::atexit([] { ending = true; });
  conc::set_report_hook([](const conc::Report& news) {
    while (!ending) std::this_thread::yield();
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    std::fprintf(stderr, "told: %s\n", std::string(news.message).c_str());
  });
  return one_wait();
}

// A thread that nobody joined is at work when main() returns. Whether it ends before a static object
// goes that was made before it.
int unjoined() {
  using namespace std::chrono_literals;
  static auto* const destroyed = new Event("destroyed");  // NOLINT: lives as long as the process
  static const struct AtEnd {
    ~AtEnd() { destroyed->set(); }
  } at_end;
  static_cast<void>(at_end);
  static auto* const thread =
      new Thread([] { std::fputs(destroyed->wait(50ms) ? "too late;" : "in time;", stderr); });
  thread->start();
  return 0;
}

// Has the teller busy, and then forks: the child, where it is gone, waits as well.
int forks() {
  if (one_wait() != 0) return 1;
  const ::pid_t child = ::fork();
  if (child == 0) {
    std::exit(wait_once("of the child"));
  }
  int status = 1;
  ::waitpid(child, &status, 0);
  return status;
}

const std::map<std::string, std::function<int()>>& scenarios() {
  static const std::map<std::string, std::function<int()>> all{
      {"waits_of_every_kind", waits_of_every_kind},
      {"idle_workers", idle_workers},
      {"hook_that_waits", hook_that_waits},
      {"hook_that_fails", hook_that_fails},
      {"one_wait", one_wait},
      {"ends_at_once", ends_at_once},
      {"unjoined", unjoined},
      {"forks", forks},
  };
  return all;
}

// ---- The tests

void ends_well(const char* scenario) {
  const conc::test::ChildEnd child = run_child(scenario, {"CONC_TRACE=1"});
  EXPECT_EQ(child.status, 0) << child.output;
}

TEST(Trace, TellsWhoWaitsForWhatAndWhoHoldsIt) { ends_well("waits_of_every_kind"); }

TEST(Trace, LeavesOutIdleWorkers) { ends_well("idle_workers"); }

TEST(Trace, DoesNotTellOfTheWaitsOfItsReceiver) { ends_well("hook_that_waits"); }

TEST(Trace, AFaultInItsReceiverIsHeardOf) {
  EXPECT_EQ(run_child("hook_that_fails", {"CONC_TRACE=1"}).status, 7);
}

TEST(Trace, IsALineOnStderrIfNobodyListens) {
  const std::string output = run_child("one_wait", {"CONC_TRACE=1"}).output;
  const std::regex line(
      "conc\\.trace: \"Bill\" \\(\\d+\\) waits to acquire Lock \"gun\" held by \"MainThread\" "
      "\\(1\\)\n");
  EXPECT_TRUE(std::regex_search(output, line)) << output;
}

TEST(Trace, AllIsToldBeforeTheProcessEnds) {
  const conc::test::ChildEnd child = run_child("ends_at_once", {"CONC_TRACE=1"});
  EXPECT_EQ(child.status, 0);
  EXPECT_NE(child.output.find("waits to acquire Lock \"gun\""), std::string::npos) << child.output;
}

TEST(Trace, StaticObjectsGoAfterThreadsThatWereStartedLaterAllTheSame) {
  const conc::test::ChildEnd child = run_child("unjoined", {"CONC_TRACE=1"});
  EXPECT_EQ(child.status, 0);
  EXPECT_NE(child.output.find("in time;"), std::string::npos) << child.output;
}

// ThreadSanitizer starts no threads in such a child, and LeakSanitizer takes for lost there what the
// threads of the parent hold.
#if !CONC_TEST_ASAN && !CONC_TEST_TSAN
TEST(Trace, GoesOnInTheChildOfAFork) {
  const conc::test::ChildEnd child = run_child("forks", {"CONC_TRACE=1"});
  EXPECT_EQ(child.status, 0);
  const std::string line("waits to acquire Lock \"of the child\" held by \"MainThread\" ");
  EXPECT_NE(child.output.find(line), std::string::npos) << child.output;
}
#endif

TEST(Trace, IsThereOnlyIfItIsAskedFor) {
  EXPECT_EQ(run_child("one_wait").output, "");
  EXPECT_EQ(run_child("one_wait", {"CONC_TRACE="}).output, "");
  EXPECT_EQ(run_child("one_wait", {"CONC_TRACE=0"}).output, "");
  EXPECT_EQ(run_child("one_wait", {"CONC_TRACE=please"}).output,
            "conc: CONC_TRACE=please is neither 0 nor 1. Waits are not traced.\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (const std::optional<int> status = conc::test::run_scenario(scenarios())) return *status;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

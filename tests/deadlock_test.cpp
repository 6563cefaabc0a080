// What is found when threads wait for each other in a cycle.

#include <conc/condition.hpp>
#include <conc/diagnostics.hpp>
#include <conc/errors.hpp>
#include <conc/event.hpp>
#include <conc/future.hpp>
#include <conc/lock.hpp>
#include <conc/promise.hpp>
#include <conc/rlock.hpp>
#include <conc/thread.hpp>
#include <conc/thread_pool_executor.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "asleep.hpp"
#include "child.hpp"
#include "eventually.hpp"
#include "gate.hpp"
#include "reports.hpp"

namespace {

using namespace std::chrono_literals;
using conc::DeadlockError;
using conc::Event;
using conc::Lock;
using conc::on_deadlock;
using conc::OnDeadlock;
using conc::RLock;
using conc::Thread;
using conc::test::eventually;
using conc::test::eventually_waiting;
using conc::test::Reports;
using conc::test::run_child;
using conc::test::somebody_sleeps;
using conc::test::waiters;

class DeadlockTest : public testing::Test {
 protected:
  DeadlockTest() { on_deadlock(OnDeadlock::report); }
  ~DeadlockTest() override { on_deadlock(OnDeadlock::report); }

  // What the reports say of who waits, with the numbers of the threads left out.
  std::vector<std::string> told() const {
    std::vector<std::string> all = reports_.messages();
    for (std::string& one : all) {
      for (std::size_t at = one.find(" ("); at != std::string::npos; at = one.find(" (")) {
        one.erase(at, one.find(')', at) + 1 - at);
      }
    }
    return all;
  }

  Reports reports_;
};

const std::string prefix = "conc.deadlock: Threads wait for each other: ";

// Started at once.
Thread running(const char* name, std::function<void()> f) {
  Thread thread({.name = name}, std::move(f));
  thread.start();
  return thread;
}

// Returns once some thread sleeps that waits to do this: whoever waits for it from then on, and
// closes a cycle, is the one that finds it.
[[nodiscard]] bool eventually_waiting_to(const std::string& action) {
  return eventually([&action] {
    return somebody_sleeps([&action](const auto& thread) { return thread.wait->action == action; });
  });
}

// What the call throws, "" for nothing.
template <class F>
std::string deadlock_of(F&& f) {
  try {
    f();
    return "";
  } catch (const DeadlockError& error) {
    return error.what();
  }
}

TEST_F(DeadlockTest, LocksTakenCrosswiseAreToldByTheCallThatClosesTheCycle) {
  Lock fork("fork");
  Lock noodles("noodles");
  Event first_waits;
  Event both_hold;
  Thread ann = running("Ann", [&] {
    fork.acquire();
    both_hold.wait();
    noodles.acquire();
    noodles.release();
    fork.release();
  });
  Thread bob = running("Bob", [&] {
    noodles.acquire();
    both_hold.set();
    first_waits.wait();
    fork.acquire();
    fork.release();
  });
  ASSERT_TRUE(eventually_waiting_to("acquire"));
  EXPECT_TRUE(told().empty());
  first_waits.set();
  ASSERT_TRUE(eventually([&] { return !told().empty(); }));
  EXPECT_EQ(told(),
            std::vector<std::string>{
                prefix + "\"Bob\" waits to acquire Lock \"fork\" held by \"Ann\", which waits to "
                         "acquire Lock \"noodles\" held by \"Bob\""});
  noodles.release();  // for Bob, as any thread may
  ann.join();
  bob.join();
  EXPECT_EQ(told().size(), 1U);
}

// Which must not leave its calls alone: they refer to what is its caller's.
TEST_F(DeadlockTest, ParallelForReportsItAndGoesOnWaitingWhateverElseWasAskedFor) {
  on_deadlock(OnDeadlock::raise);
  conc::ThreadPoolExecutor pool(1);
  Lock lock("lock");
  std::thread caller([&] {
    std::atomic<int> finished{0};
    const auto self = std::this_thread::get_id();
    lock.acquire();
    EXPECT_NO_THROW(pool.parallel_for(
        0, 2,
        [&](int) {
          if (std::this_thread::get_id() == self) {
            EXPECT_TRUE(eventually_waiting_to("acquire"));
          } else {
            lock.acquire();
            lock.release();
          }
          ++finished;
        },
        1));
    EXPECT_EQ(finished, 2);
  });
  EXPECT_TRUE(eventually([&] { return !told().empty(); }));
  lock.release();  // as any thread may, so that it ends
  caller.join();
}

TEST_F(DeadlockTest, RaiseEndsTheCallThatClosesTheCycle) {
  on_deadlock(OnDeadlock::raise);
  RLock fork("fork");
  Lock noodles("noodles");
  Event look;
  noodles.acquire();
  Thread ann = running("Ann", [&] {
    const std::lock_guard first(fork);
    const std::lock_guard second(noodles);
    look.wait();
  });
  ASSERT_TRUE(eventually_waiting_to("acquire"));
  const std::string what = deadlock_of([&] { fork.acquire(); });
  EXPECT_NE(what.find("\"MainThread\" (1) waits to acquire RLock \"fork\" held by \"Ann\" ("),
            std::string::npos)
      << what;
  EXPECT_NE(what.find("), which waits to acquire Lock \"noodles\" held by \"MainThread\" (1)."),
            std::string::npos)
      << what;
  EXPECT_EQ(waiters(fork), 0U);
  noodles.release();
  EXPECT_FALSE(noodles.try_acquire());  // it is Ann's, who may not be awake yet
  look.set();
  ann.join();
  EXPECT_FALSE(fork.locked());
  EXPECT_FALSE(noodles.locked());
  EXPECT_TRUE(told().empty());
}

TEST_F(DeadlockTest, ALockThatAThreadTakesTwiceIsACycleOfOne) {
  on_deadlock(OnDeadlock::raise);
  Lock lock;
  lock.acquire();
  char address[24];
  std::snprintf(address, sizeof address, "%p", static_cast<void*>(&lock));
  EXPECT_EQ(deadlock_of([&] { lock.acquire(); }),
            std::string("conc: the call would wait for ever, since threads wait for each other: "
                        "\"MainThread\" (1) waits to acquire Lock ") +
                address + " held by \"MainThread\" (1).");
  EXPECT_TRUE(lock.locked());
  lock.release();
}

TEST_F(DeadlockTest, ThreadsThatJoinEachOther) {
  on_deadlock(OnDeadlock::raise);
  std::unique_ptr<Thread> two;
  Event there_are_two;
  Event one_waits;
  Thread one({.name = "one"}, [&] {
    there_are_two.wait();
    two->join();
  });
  two = std::make_unique<Thread>(conc::ThreadOptions{.name = "two"}, [&] {
    const std::string what = deadlock_of([&] {
      one_waits.wait();
      one.join();
    });
    EXPECT_NE(what.find("\"two\" (" + std::to_string(conc::get_ident()) +
                        ") waits to join Thread \"one\" ("),
              std::string::npos)
        << what;
  });
  one.start();
  two->start();
  there_are_two.set();
  ASSERT_TRUE(eventually_waiting_to("join"));
  one_waits.set();
  one.join();
  two->join();
}

TEST_F(DeadlockTest, AThreadIsJoinedWhoseLockTheCallerHolds) {
  on_deadlock(OnDeadlock::raise);
  Lock lock("door");
  lock.acquire();
  Thread inside = running("inside", [&] { const std::lock_guard guard(lock); });
  ASSERT_TRUE(eventually_waiting_to("acquire"));
  EXPECT_NE(deadlock_of([&] { inside.join(); }), "");
  EXPECT_TRUE(inside.is_alive());
  lock.release();
  inside.join();
}

TEST_F(DeadlockTest, TasksThatWaitForEachOthersFutures) {
  on_deadlock(OnDeadlock::raise);
  conc::ThreadPoolExecutor pool(2);
  conc::Promise<conc::Future<int>> second;
  Event both_run;
  const conc::Future<int> one = pool.submit([&] {
    both_run.wait();
    return second.future().result().result() + 1;
  });
  const conc::Future<int> two = pool.submit([&] {
    both_run.set();
    return one.result() + 1;
  });
  second.set_result(two);
  // One of them closes the cycle and fails, and the other one with it.
  EXPECT_THROW(static_cast<void>(one.result()), DeadlockError);
  EXPECT_THROW(static_cast<void>(two.result()), DeadlockError);
}

TEST_F(DeadlockTest, AFutureWhoseTaskWaitsForALockOfTheCaller) {
  Lock lock("account");
  conc::ThreadPoolExecutor pool(1);
  lock.acquire();
  const conc::Future<void> task = pool.submit([&] { const std::lock_guard guard(lock); });
  ASSERT_TRUE(eventually_waiting_to("acquire"));
  on_deadlock(OnDeadlock::raise);
  const std::string what = deadlock_of([&] { task.wait(); });
  EXPECT_NE(what.find("\"MainThread\" (1) waits to see done Future 0x"), std::string::npos) << what;
  EXPECT_NE(what.find(" run by \""), std::string::npos) << what;
  EXPECT_FALSE(task.done());
  lock.release();
  task.wait();
}

TEST_F(DeadlockTest, ATaskThatWaitsForItself) {
  on_deadlock(OnDeadlock::raise);
  conc::ThreadPoolExecutor pool(1);
  conc::Promise<conc::Future<void>> itself;
  const conc::Future<void> task = pool.submit([&] { itself.future().result().wait(); });
  itself.set_result(task);
  EXPECT_THROW(task.result(), DeadlockError);
}

TEST_F(DeadlockTest, WaitsThatEndByThemselvesAreNone) {
  Lock lock("fork");
  lock.acquire();
  std::stop_source stop;
  Thread timed = running("timed", [&] {
    if (lock.acquire(1h)) lock.release();
  });
  Thread stoppable = running("stoppable", [&] { EXPECT_FALSE(lock.acquire(stop.get_token())); });
  ASSERT_TRUE(eventually_waiting(lock, 2));
  on_deadlock(OnDeadlock::raise);
  EXPECT_FALSE(timed.join(1ms));
  // Waits for itself, but not for ever.
  EXPECT_FALSE(lock.acquire(1ms));
  stop.request_stop();
  stoppable.join();
  lock.release();
  timed.join();
  EXPECT_TRUE(told().empty());
}

TEST_F(DeadlockTest, IgnoreLeavesThemAlone) {
  on_deadlock(OnDeadlock::ignore);
  Lock lock;
  lock.acquire();
  Thread twice = running("twice", [&] {
    Lock own;
    own.acquire();
    lock.acquire();
  });
  ASSERT_TRUE(eventually_waiting(lock, 1));
  Thread self = running("self", [&] {
    Lock own;
    own.acquire();
    Thread helper = running("helper", [&] {
      EXPECT_TRUE(eventually_waiting(own, 1));
      own.release();
    });
    own.acquire();
    own.release();
    helper.join();
  });
  self.join();
  lock.release();
  twice.join();
  EXPECT_TRUE(told().empty());
  lock.release();
}

TEST_F(DeadlockTest, WhoWaitsForThreadsInADeadlockIsNotToldAgain) {
  Lock fork("fork");
  Lock noodles("noodles");
  fork.acquire();
  Thread ann = running("Ann", [&] {
    noodles.acquire();
    fork.acquire();
    fork.release();
    noodles.release();
  });
  ASSERT_TRUE(eventually_waiting(fork, 1));
  Thread bystander = running("bystander", [&] { const std::lock_guard guard(noodles); });
  ASSERT_TRUE(eventually_waiting(noodles, 1));
  EXPECT_TRUE(told().empty());
  Thread helper = running("helper", [&] {
    EXPECT_TRUE(eventually_waiting(noodles, 2));
    EXPECT_TRUE(eventually([&] { return told().size() == 1; }));
    Thread late = running("late", [&] { const std::lock_guard guard(fork); });
    EXPECT_TRUE(eventually_waiting(fork, 2));
    fork.release();
    late.join();
  });
  noodles.acquire();
  noodles.release();
  for (Thread* one : {&ann, &bystander, &helper}) one->join();
  EXPECT_EQ(told().size(), 1U);
}

TEST_F(DeadlockTest, AConditionHasItsLockAgainWhateverOnDeadlockSays) {
  on_deadlock(OnDeadlock::raise);
  RLock lock("table");
  conc::Condition condition(lock);
  Lock other("other");
  std::stop_source stop;
  other.acquire();
  lock.acquire();
  Thread holder = running("holder", [&] {
    const std::lock_guard guard(lock);  // while the condition waits
    other.acquire();
    other.release();
  });
  Thread helper = running("helper", [&] {
    EXPECT_TRUE(eventually_waiting(other, 1));
    EXPECT_TRUE(eventually_waiting_to("acquire"));
    stop.request_stop();
    EXPECT_TRUE(eventually([&] { return !told().empty(); }));
    other.release();  // for the main thread
  });
  // Gives up, and needs the lock back from a thread that waits for this one.
  EXPECT_FALSE(condition.wait(stop.get_token()));
  EXPECT_TRUE(lock.owned());
  lock.release();
  holder.join();
  helper.join();
  EXPECT_EQ(told().size(), 1U);
}

// All go to sleep at once, so that several may see the cycle; one tells of it.
TEST_F(DeadlockTest, OneOfThoseThatCloseACycleAtOnceGivesUp) {
  on_deadlock(OnDeadlock::raise);
  constexpr std::size_t threads = 3;
  for (int round = 0; round < 200; ++round) {
    Lock locks[threads];
    std::atomic<std::size_t> holding{0};
    std::atomic<int> raised{0};
    conc::test::together(threads, [&](std::size_t me) {
      locks[me].acquire();
      ++holding;
      while (holding.load() != threads) std::this_thread::yield();
      try {
        locks[(me + 1) % threads].acquire();
        locks[(me + 1) % threads].release();
      } catch (const DeadlockError&) {
        ++raised;
      }
      locks[me].release();
    });
    ASSERT_EQ(raised.load(), 1);
  }
}

// In order, so there is no deadlock, however many wait.
TEST_F(DeadlockTest, ThereIsNoFalseAlarm) {
  on_deadlock(OnDeadlock::raise);
  Lock locks[4];
  conc::test::together(6, [&](std::size_t me) {
    for (std::size_t i = 0; i < 2000; ++i) {
      const std::size_t low = (i + me) % 3;
      const std::lock_guard first(locks[low]);
      if (i % 7 == 0) std::this_thread::yield();
      const std::lock_guard second(locks[low + 1]);
    }
  });
  EXPECT_TRUE(told().empty());
}

// ---- In a process of their own

// What comes to stderr, read by a thread that ends the process once it is `enough`: the deadlock
// does not go away.
template <class Enough>
std::thread end_when_stderr_says(Enough enough) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0 || ::dup2(ends[1], 2) < 0) ::_exit(98);
  return std::thread([from = ends[0], enough] {
    std::string text;
    char byte = 0;
    while (!enough(text) && ::read(from, &byte, 1) == 1) text += byte;
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
    ::_exit(0);
  });
}

bool ends_line(const std::string& text) { return !text.empty() && text.back() == '\n'; }

void take_twice() {
  Lock lock("door");
  lock.acquire();
  try {
    lock.acquire();
    std::puts("went on");
  } catch (const DeadlockError&) {
    std::puts("raised");
  }
  lock.release();
}

int hangs() {
  std::thread end = end_when_stderr_says(ends_line);
  take_twice();
  return 1;
}

int hangs_with_a_warning() {
  std::thread end = end_when_stderr_says([](const std::string& text) {
    return ends_line(text) && text.find("conc.deadlock") != std::string::npos;
  });
  take_twice();
  return 1;
}

int hangs_in_what_tells() {
  static Lock inner("handler");
  inner.acquire();
  conc::set_report_hook([](const conc::Report&) { inner.acquire(); });
  return hangs();
}

int goes_on() {
  take_twice();
  return 0;
}

const std::map<std::string, std::function<int()>>& scenarios() {
  static const std::map<std::string, std::function<int()>> all{
      {"hangs", hangs},
      {"hangs_with_a_warning", hangs_with_a_warning},
      {"hangs_in_what_tells", hangs_in_what_tells},
      {"goes_on", goes_on},
  };
  return all;
}

void prints(const char* scenario, const char* setting, const std::string& text) {
  const conc::test::ChildEnd child = run_child(scenario, {setting});
  EXPECT_EQ(child.status, 0);
  EXPECT_NE(child.output.find(text), std::string::npos) << child.output;
}

const std::string door_line =
    "conc.deadlock: Threads wait for each other: \"MainThread\" (1) waits to acquire Lock \"door\" "
    "held by \"MainThread\" (1)\n";

TEST(DeadlockInAProcess, IsALineOnStderrIfNobodySaysOtherwise) {
  prints("hangs", "CONC_DEADLOCK=", door_line);
  prints("hangs", "CONC_DEADLOCK=report", door_line);
}

TEST(DeadlockInAProcess, IsRaisedIfTheEnvironmentSaysSo) {
  prints("goes_on", "CONC_DEADLOCK=raise", "raised\n");
}

TEST(DeadlockInAProcess, IsReportedIfTheEnvironmentSaysNothingThatIsKnown) {
  prints(
      "hangs_with_a_warning", "CONC_DEADLOCK=panic",
      "conc: CONC_DEADLOCK=panic is none of ignore, report and raise. Deadlocks are reported.\n" +
          door_line);
}

TEST(DeadlockInAProcess, OfWhatTellsOfADeadlockIsALineOnStderr) {
  prints("hangs_in_what_tells",
         "CONC_DEADLOCK=", "waits to acquire Lock \"handler\" held by \"MainThread\" (1)\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (const std::optional<int> status = conc::test::run_scenario(scenarios())) return *status;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

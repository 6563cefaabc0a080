// Bad arguments and misuse of everything that threads synchronize by, one row each: what is thrown,
// what its message says, and that the object is as it was.
#include <conc/barrier.hpp>
#include <conc/bounded_semaphore.hpp>
#include <conc/condition.hpp>
#include <conc/errors.hpp>
#include <conc/event.hpp>
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>
#include <conc/rlock.hpp>
#include <conc/semaphore.hpp>
#include <conc/thread.hpp>
#include <conc/until.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <optional>
#include <ostream>
#include <ratio>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <typeinfo>
#include <utility>

#include "eventually.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Barrier;
using conc::BoundedSemaphore;
using conc::Condition;
using conc::Event;
using conc::Lock;
using conc::LockGuard;
using conc::RLock;
using conc::Semaphore;
using conc::Thread;
using conc::Until;
using conc::UsageError;
using conc::test::waiters;

const std::chrono::duration<double> nan_seconds(std::numeric_limits<double>::quiet_NaN());

// Does what is wrong, and checks what is thrown.
using Attempt = std::function<void(const std::function<void()>& wrong)>;

struct Misuse {
  const char* claim;
  const std::type_info& thrown;
  const char* subject;  // how the message begins
  const char* rule;     // what it says, among other things
  // Makes the object, has it misused once or more, and checks that it is as before.
  void (*scene)(const Attempt& attempt);
};

void PrintTo(const Misuse& row, std::ostream* out) { *out << row.claim; }

// ---- As before

template <class L>
void expect_free(L& lock) {
  EXPECT_FALSE(lock.locked());
  EXPECT_EQ(waiters(lock), 0U);
  EXPECT_TRUE(lock.try_acquire());
  lock.release();
}

// The lock is free and nobody waits to be notified.
void expect_at_rest(Condition& condition) {
  EXPECT_EQ(waiters(condition), 0U);
  std::thread([&] {
    EXPECT_TRUE(condition.try_acquire()) << "held by another thread";
    condition.release();
  }).join();
}

template <class S>
void expect_permits(S& semaphore, std::ptrdiff_t permits) {
  EXPECT_EQ(semaphore.permits(), permits);
  EXPECT_EQ(waiters(semaphore), 0U);
}

void expect_at_rest(const Barrier& barrier) {
  EXPECT_FALSE(barrier.broken());
  EXPECT_EQ(barrier.n_waiting(), 0U);
  EXPECT_EQ(waiters(barrier), 0U);
}

template <class F>
void in_another_thread(F&& f) {
  std::thread(std::forward<F>(f)).join();
}

// ---- The table

const Misuse table[] = {
    // Lock
    {"LockReleasedWhileFree", typeid(UsageError), "conc::Lock \"fork\" ",
     "released while it was free; acquire it first",
     [](const Attempt& attempt) {
       Lock lock("fork");
       attempt([&] { lock.release(); });
       attempt([&] { lock.unlock(); });
       lock.acquire();
       lock.release();
       attempt([&] { lock.release(); });
       expect_free(lock);
     }},
    {"LockWithoutANameReleasedWhileFree", typeid(UsageError), "conc::Lock was ",
     "released while it was free; acquire it first",
     [](const Attempt& attempt) {
       Lock lock;
       attempt([&] { lock.release(); });
       expect_free(lock);
     }},
    {"LockAcquiredForANotANumberOfSeconds", typeid(std::invalid_argument),
     "conc::Until: ", "must not be NaN",
     [](const Attempt& attempt) {
       Lock lock("fork");
       attempt([&] { static_cast<void>(lock.acquire(nan_seconds)); });
       attempt([&] { static_cast<void>(lock.try_lock_for(nan_seconds)); });
       expect_free(lock);
     }},

    // RLock
    {"RLockReleasedWhileFree", typeid(UsageError), "conc::RLock \"spoon\" ",
     "released while it was free; acquire it first",
     [](const Attempt& attempt) {
       RLock lock("spoon");
       attempt([&] { lock.release(); });
       lock.acquire();
       lock.acquire();
       lock.release();
       lock.release();
       attempt([&] { lock.unlock(); });
       expect_free(lock);
     }},
    {"RLockReleasedByAStranger", typeid(UsageError), "conc::RLock \"spoon\" ",
     "only its holder may release it",
     [](const Attempt& attempt) {
       RLock lock("spoon");
       lock.acquire();
       lock.acquire();
       in_another_thread([&] { attempt([&] { lock.release(); }); });
       EXPECT_TRUE(lock.owned());
       lock.release();
       EXPECT_TRUE(lock.owned()) << "still as deep as before";
       lock.release();
       expect_free(lock);
     }},
    {"RLockHeldDeeperThanItCanBe", typeid(UsageError), "conc::RLock \"spoon\" ",
     "is held 16777215 times over, which is as often as it can be",
     [](const Attempt& attempt) {
       RLock lock("spoon");
       for (std::uint32_t i = 0; i < RLock::max_depth; ++i) lock.acquire();
       attempt([&] { lock.acquire(); });
       attempt([&] { static_cast<void>(lock.acquire(1h)); });
       attempt([&] { static_cast<void>(lock.try_acquire()); });
       for (std::uint32_t i = 0; i < RLock::max_depth; ++i) lock.release();
       expect_free(lock);
     }},

    // Condition
    {"ConditionReleasedWhileItsLockIsFree", typeid(UsageError), "conc::RLock \"changed\" ",
     "released while it was free; acquire it first",
     [](const Attempt& attempt) {
       Condition condition("changed");
       attempt([&] { condition.release(); });
       attempt([&] { condition.unlock(); });
       expect_at_rest(condition);
     }},
    {"ConditionWaitsWithoutItsLock", typeid(UsageError), "conc::Condition \"changed\" ",
     "got wait() from a thread that does not hold its lock; acquire it first",
     [](const Attempt& attempt) {
       Condition condition("changed");
       attempt([&] { condition.wait(); });
       attempt([&] { static_cast<void>(condition.wait(conc::at_once)); });
       attempt([&] { condition.wait_for([] { return false; }); });
       attempt([&] { static_cast<void>(condition.wait_for([] { return false; }, 1h)); });
       expect_at_rest(condition);
     }},
    {"ConditionWaitsWhileAnotherThreadHoldsItsRLock", typeid(UsageError),
     "conc::Condition \"changed\" ", "got wait() from a thread that does not hold its lock",
     [](const Attempt& attempt) {
       Condition condition("changed");
       {
         const LockGuard hold(condition);
         in_another_thread([&] { attempt([&] { condition.wait(); }); });
       }
       expect_at_rest(condition);
     }},
    {"ConditionNotifiedWithoutItsLock", typeid(UsageError), "conc::Condition \"changed\" ",
     "got notify() from a thread that does not hold its lock; acquire it first",
     [](const Attempt& attempt) {
       Condition condition("changed");
       attempt([&] { condition.notify(); });
       attempt([&] { condition.notify(0); });
       attempt([&] { condition.notify_all(); });
       expect_at_rest(condition);
     }},
    {"ConditionNotifiedWithoutItsLockWhileAThreadWaits", typeid(UsageError),
     "conc::Condition \"changed\" ", "got notify() from a thread that does not hold its lock",
     [](const Attempt& attempt) {
       Condition condition("changed");
       bool ready = false;
       std::thread waiter([&] {
         const LockGuard hold(condition);
         condition.wait();
         EXPECT_TRUE(ready) << "woken by the notify() that was refused";
       });
       EXPECT_TRUE(conc::test::eventually_waiting(condition, 1));
       attempt([&] { condition.notify(); });
       EXPECT_EQ(waiters(condition), 1U);
       {
         const LockGuard hold(condition);
         ready = true;
         condition.notify();
       }
       waiter.join();
       expect_at_rest(condition);
     }},
    {"ConditionOnALockThatIsFree", typeid(UsageError), "conc::Condition \"changed\" ",
     "from a thread that does not hold its lock; acquire it first",
     [](const Attempt& attempt) {
       Lock lock("fork");
       Condition condition(lock, "changed");
       attempt([&] { condition.wait(); });
       attempt([&] { condition.notify_all(); });
       expect_at_rest(condition);
       expect_free(lock);
     }},
    {"ConditionOnALockReleasedWhileFreeNamesTheLock", typeid(UsageError), "conc::Lock \"fork\" ",
     "released while it was free",
     [](const Attempt& attempt) {
       Lock lock("fork");
       Condition condition(lock, "changed");
       attempt([&] { condition.release(); });
       expect_free(lock);
     }},
    {"ConditionWaitsForANotANumberOfSeconds", typeid(std::invalid_argument),
     "conc::Until: ", "must not be NaN",
     [](const Attempt& attempt) {
       Condition condition("changed");
       {
         const LockGuard hold(condition);
         attempt([&] { static_cast<void>(condition.wait(nan_seconds)); });
       }
       expect_at_rest(condition);
     }},

    // Event: no call of it can be wrong, but for the time.
    {"EventWaitsForANotANumberOfSeconds", typeid(std::invalid_argument),
     "conc::Until: ", "must not be NaN",
     [](const Attempt& attempt) {
       Event event("dawn");
       attempt([&] { static_cast<void>(event.wait(nan_seconds)); });
       EXPECT_FALSE(event.is_set());
       EXPECT_EQ(waiters(event), 0U);
     }},

    // Semaphore
    {"SemaphoreMadeWithFewerThanNoPermits", typeid(std::invalid_argument),
     "conc::Semaphore \"pool\" ", "was made with -1 permits; it takes 0 or more",
     [](const Attempt& attempt) { attempt([] { const Semaphore semaphore(-1, "pool"); }); }},
    {"SemaphoreGivenNoPermits", typeid(std::invalid_argument), "conc::Semaphore \"pool\" ",
     "got release(0); it takes 1 or more",
     [](const Attempt& attempt) {
       Semaphore semaphore(3, "pool");
       attempt([&] { semaphore.release(0); });
       expect_permits(semaphore, 3);
     }},
    {"SemaphoreGivenFewerThanNoPermits", typeid(std::invalid_argument), "conc::Semaphore \"pool\" ",
     "it takes 1 or more",
     [](const Attempt& attempt) {
       Semaphore semaphore(3, "pool");
       attempt([&] { semaphore.release(-1); });
       attempt([&] { semaphore.release(std::numeric_limits<std::ptrdiff_t>::min()); });
       expect_permits(semaphore, 3);
     }},
    {"SemaphoreGivenMoreThanItCanHold", typeid(UsageError), "conc::Semaphore \"pool\" ",
     "it can hold",
     [](const Attempt& attempt) {
       Semaphore semaphore(1, "pool");
       attempt([&] { semaphore.release(Semaphore::max_permits); });
       expect_permits(semaphore, 1);
       semaphore.release(Semaphore::max_permits - 1);
       attempt([&] { semaphore.release(); });
       attempt([&] { semaphore.unlock(); });
       expect_permits(semaphore, Semaphore::max_permits);
     }},
    {"SemaphoreAcquiredForANotANumberOfSeconds", typeid(std::invalid_argument),
     "conc::Until: ", "must not be NaN",
     [](const Attempt& attempt) {
       Semaphore semaphore(1, "pool");
       attempt([&] { static_cast<void>(semaphore.acquire(nan_seconds)); });
       expect_permits(semaphore, 1);
     }},

    // BoundedSemaphore
    {"BoundedSemaphoreMadeWithFewerThanNoPermits", typeid(std::invalid_argument),
     "conc::BoundedSemaphore \"seats\" ", "was made with -7 permits; it takes 0 or more",
     [](const Attempt& attempt) { attempt([] { const BoundedSemaphore seats(-7, "seats"); }); }},
    {"BoundedSemaphoreGivenNoPermits", typeid(std::invalid_argument),
     "conc::BoundedSemaphore \"seats\" ", "it takes 1 or more",
     [](const Attempt& attempt) {
       BoundedSemaphore semaphore(2, "seats");
       semaphore.acquire();
       attempt([&] { semaphore.release(0); });
       attempt([&] { semaphore.release(-1); });
       expect_permits(semaphore, 1);
     }},
    {"BoundedSemaphoreGivenMoreThanItStartedWith", typeid(UsageError),
     "conc::BoundedSemaphore \"seats\" ",
     "more permits free than the 2 it started with; release only what was acquired",
     [](const Attempt& attempt) {
       BoundedSemaphore semaphore(2, "seats");
       attempt([&] { semaphore.release(); });
       attempt([&] { semaphore.unlock(); });
       expect_permits(semaphore, 2);
       semaphore.acquire();
       attempt([&] { semaphore.release(2); });
       attempt([&] { semaphore.release(std::numeric_limits<std::ptrdiff_t>::max()); });
       expect_permits(semaphore, 1);
       semaphore.release();
       expect_permits(semaphore, 2);
     }},
    {"BoundedSemaphoreOfNoneGivenOne", typeid(UsageError), "conc::BoundedSemaphore \"seats\" ",
     "more permits free than the 0 it started with",
     [](const Attempt& attempt) {
       BoundedSemaphore semaphore(0, "seats");
       attempt([&] { semaphore.release(); });
       expect_permits(semaphore, 0);
     }},
    {"BoundedSemaphoreAcquiredForANotANumberOfSeconds", typeid(std::invalid_argument),
     "conc::Until: ", "must not be NaN",
     [](const Attempt& attempt) {
       BoundedSemaphore semaphore(1, "seats");
       attempt([&] { static_cast<void>(semaphore.acquire(nan_seconds)); });
       expect_permits(semaphore, 1);
     }},

    // Barrier
    {"BarrierForNobody", typeid(std::invalid_argument), "conc::Barrier \"start\" ",
     "was made for 0 parties; it takes 1 to ",
     [](const Attempt& attempt) { attempt([] { const Barrier barrier(0, {}, {}, "start"); }); }},
    {"BarrierForMoreThanItCanCount", typeid(std::invalid_argument), "conc::Barrier \"start\" ",
     "it takes 1 to 16777215",
     [](const Attempt& attempt) {
       attempt([] { const Barrier barrier(Barrier::max_parties + 1, {}, {}, "start"); });
       attempt(
           [] { const Barrier barrier(std::numeric_limits<std::size_t>::max(), {}, {}, "start"); });
     }},
    {"BarrierThatItsOwnActionWaitsAt", typeid(UsageError), "conc::Barrier \"start\" ",
     "got wait() from its own action, which would wait for itself",
     [](const Attempt& attempt) {
       const Attempt* check = &attempt;
       Barrier* self = nullptr;
       Barrier barrier(
           1, [&] { (*check)([&] { self->wait(); }); }, {}, "start");
       self = &barrier;
       EXPECT_EQ(barrier.wait(), 0U) << "the action may catch it and go on";
       expect_at_rest(barrier);
     }},
    {"BarrierThatIsBroken", typeid(conc::BrokenBarrier), "conc::Barrier \"start\" ",
     "is broken; reset() makes it whole again",
     [](const Attempt& attempt) {
       Barrier barrier(1, {}, {}, "start");
       barrier.abort();
       attempt([&] { barrier.wait(); });
       attempt([&] { barrier.wait(conc::at_once); });
       EXPECT_TRUE(barrier.broken());
       EXPECT_EQ(barrier.n_waiting(), 0U);
       barrier.reset();
       EXPECT_EQ(barrier.wait(), 0U);
       expect_at_rest(barrier);
     }},
    {"BarrierWaitsForANotANumberOfSeconds", typeid(std::invalid_argument),
     "conc::Until: ", "must not be NaN",
     [](const Attempt& attempt) {
       Barrier barrier(2, {}, {}, "start");
       attempt([&] { barrier.wait(nan_seconds); });
       expect_at_rest(barrier);
     }},

    // Until
    {"UntilMadeOfNotANumber", typeid(std::invalid_argument), "conc::Until: ", "must not be NaN",
     [](const Attempt& attempt) {
       using Nans = std::chrono::duration<float, std::milli>;
       const std::stop_token token;
       attempt([] { static_cast<void>(Until(nan_seconds)); });
       attempt([] { static_cast<void>(Until(-nan_seconds)); });
       attempt([] { static_cast<void>(Until(Nans(std::numeric_limits<float>::quiet_NaN()))); });
       attempt([&] { static_cast<void>(Until(nan_seconds, token)); });
       attempt([] { static_cast<void>(Until(std::optional(nan_seconds))); });
     }},

    // Thread
    {"ThreadStartedTwice", typeid(UsageError), "conc::Thread \"worker\" ",
     "was started before; a thread can be started once",
     [](const Attempt& attempt) {
       Event go;
       Thread thread({.name = "worker"}, [&] { go.wait(); });
       thread.start();
       attempt([&] { thread.start(); });
       EXPECT_TRUE(thread.is_alive());
       go.set();
       thread.join();
       attempt([&] { thread.start(); });
       EXPECT_FALSE(thread.is_alive());
     }},
    {"ThreadJoinedBeforeItWasStarted", typeid(UsageError), "conc::Thread \"worker\" ",
     "was joined before it was started; start it first",
     [](const Attempt& attempt) {
       bool ran = false;
       Thread thread({.name = "worker"}, [&] { ran = true; });
       attempt([&] { thread.join(); });
       attempt([&] { static_cast<void>(thread.join(conc::at_once)); });
       EXPECT_FALSE(thread.is_alive());
       thread.start();
       thread.join();
       EXPECT_TRUE(ran);
     }},
    {"ThreadJoinedByItself", typeid(UsageError), "conc::Thread \"worker\" ", "was joined by itself",
     [](const Attempt& attempt) {
       Thread* self = nullptr;
       Thread thread({.name = "worker"}, [&] {
         attempt([&] { self->join(); });
         attempt([&] { static_cast<void>(self->join(1ms)); });
         EXPECT_TRUE(self->is_alive());
       });
       self = &thread;
       thread.start();
       thread.join();
     }},
    {"ThreadMadeADaemonAfterItsStart", typeid(UsageError), "conc::Thread \"worker\" ",
     "its daemon flag can be set before that only",
     [](const Attempt& attempt) {
       Event go;
       Thread thread({.name = "worker"}, [&] { go.wait(); });
       thread.start();
       attempt([&] { thread.set_daemon(true); });
       EXPECT_FALSE(thread.daemon());
       go.set();
       thread.join();
     }},
    {"ThreadJoinedForANotANumberOfSeconds", typeid(std::invalid_argument),
     "conc::Until: ", "must not be NaN",
     [](const Attempt& attempt) {
       Thread thread({.name = "worker"}, [] {});
       thread.start();
       attempt([&] { static_cast<void>(thread.join(nan_seconds)); });
       thread.join();
     }},
    {"ThreadUsedAfterItWasMovedFrom", typeid(UsageError), "conc::Thread was ",
     "used after it was moved from; use the thread it was moved to",
     [](const Attempt& attempt) {
       bool ran = false;
       Thread thread({.name = "worker"}, [&] { ran = true; });
       Thread moved = std::move(thread);
       // NOLINTBEGIN(bugprone-use-after-move)
       attempt([&] { thread.start(); });
       attempt([&] { thread.join(); });
       attempt([&] { static_cast<void>(thread.is_alive()); });
       attempt([&] { static_cast<void>(thread.name()); });
       attempt([&] { thread.set_name("other"); });
       attempt([&] { static_cast<void>(thread.daemon()); });
       attempt([&] { thread.set_daemon(true); });
       attempt([&] { static_cast<void>(thread.ident()); });
       attempt([&] { static_cast<void>(thread.native_id()); });
       attempt([&] { static_cast<void>(thread.request_stop()); });
       attempt([&] { static_cast<void>(thread.stop_token()); });
       // NOLINTEND(bugprone-use-after-move)
       moved.start();
       moved.join();
       EXPECT_TRUE(ran);
       EXPECT_EQ(moved.name(), "worker");
     }},
};

// ---- The test

class MisuseTest : public testing::TestWithParam<Misuse> {};

TEST_P(MisuseTest, IsRefusedInASentenceAndChangesNothing) {
  const Misuse& row = GetParam();
  int attempts = 0;
  row.scene([&](const std::function<void()>& wrong) {
    ++attempts;
    SCOPED_TRACE("attempt " + std::to_string(attempts));
    try {
      wrong();
    } catch (const std::exception& error) {
      const std::string said = error.what();
      EXPECT_EQ(typeid(error), row.thrown) << typeid(error).name() << ": " << said;
      EXPECT_EQ(said.rfind(row.subject, 0), 0U) << said;
      EXPECT_NE(said.find(row.rule), std::string::npos) << said;
      EXPECT_EQ(said.back(), '.') << said;
      return;
    }
    ADD_FAILURE() << "nothing was thrown";
  });
  EXPECT_GT(attempts, 0);
}

INSTANTIATE_TEST_SUITE_P(All, MisuseTest, testing::ValuesIn(table),
                         [](const auto& row) { return std::string(row.param.claim); });

}  // namespace

#include <conc/diagnostics.hpp>
#include <conc/errors.hpp>
#include <conc/future.hpp>
#include <conc/lock.hpp>
#include <conc/rlock.hpp>
#include <conc/thread_pool_executor.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "gate.hpp"
#include "stress.hpp"
#include "watchdog.hpp"

namespace {

using conc::DeadlockError;
using conc::Future;
using conc::test::Dice;
using conc::test::rounds;
using conc::test::together;
using conc::test::Watchdog;

class DeadlockStress : public testing::Test {
 protected:
  DeadlockStress() { conc::on_deadlock(conc::OnDeadlock::raise); }
  ~DeadlockStress() override { conc::on_deadlock(conc::OnDeadlock::report); }
};

// Locks of both kinds, by number.
class Forks {
 public:
  static constexpr std::size_t number = 5;

  // Calls f with all of them held, which are taken in this order.
  void hold(const std::vector<std::size_t>& which, const std::function<void()>& f) {
    take(which, 0, f);
  }

  [[nodiscard]] bool any_held() const {
    const auto held = [](const auto& lock) { return lock.locked(); };
    return std::any_of(locks_.begin(), locks_.end(), held) ||
           std::any_of(rlocks_.begin(), rlocks_.end(), held);
  }

 private:
  void take(const std::vector<std::size_t>& which, std::size_t at, const std::function<void()>& f) {
    if (at == which.size()) return f();
    const std::size_t one = which[at];
    if (one < locks_.size()) {
      const std::lock_guard guard(locks_[one]);
      take(which, at + 1, f);
    } else {
      const std::lock_guard guard(rlocks_[one - locks_.size()]);
      take(which, at + 1, f);
    }
  }

  std::array<conc::Lock, 3> locks_;
  std::array<conc::RLock, number - 3> rlocks_;
};

std::vector<std::size_t> some_forks(Dice& dice) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < Forks::number; ++i) all.push_back(i);
  for (std::size_t i = all.size(); i > 1; --i) {
    std::swap(all[i - 1], all[static_cast<std::size_t>(dice.roll(static_cast<int>(i)))]);
  }
  all.resize(2 + static_cast<std::size_t>(dice.roll(2)));
  return all;
}

TEST_F(DeadlockStress, WhateverTheOrderOfTheLocksEverybodyEats) {
  Forks forks;
  Watchdog watchdog("meals");
  std::atomic<std::int64_t> meals{0};
  const std::int64_t each = rounds(300);
  together(6, [&](std::size_t who) {
    Dice dice(static_cast<unsigned>(who) + 1);
    for (std::int64_t i = 0; i < each; ++i) {
      const std::vector<std::size_t> which = some_forks(dice);
      for (bool hungry = true; hungry;) {
        try {
          forks.hold(which, [&] {
            if (dice.roll(4) == 0) std::this_thread::yield();
            ++meals;
            hungry = false;
          });
        } catch (const DeadlockError&) {
          std::this_thread::yield();
        }
      }
      if (who == 0) watchdog.done();
    }
  });
  EXPECT_EQ(meals, 6 * each);
  EXPECT_FALSE(forks.any_held());
}

TEST_F(DeadlockStress, LocksThatAreTakenInOrderRaiseNothing) {
  Forks forks;
  Watchdog watchdog("meals");
  const std::int64_t each = rounds(20'000);
  together(6, [&](std::size_t who) {
    Dice dice(static_cast<unsigned>(who) + 1);
    for (std::int64_t i = 0; i < each; ++i) {
      std::vector<std::size_t> which = some_forks(dice);
      std::sort(which.begin(), which.end());
      EXPECT_NO_THROW(forks.hold(which, [&] {
        if (dice.roll(4) == 0) std::this_thread::yield();
      }));
      if (who == 0) watchdog.done();
    }
  });
  EXPECT_FALSE(forks.any_held());
}

// Each task waits for one other, or for none. Those that lead to a task which waits for none have a
// result; those that lead into a cycle fail, and nobody hangs.
TEST_F(DeadlockStress, TasksFailThatWaitForEachOtherAndNoOthers) {
  constexpr std::size_t tasks = 7;
  conc::ThreadPoolExecutor pool(3);
  Watchdog watchdog("rounds");
  Dice dice(1);
  for (std::int64_t round = rounds(3'000); round > 0; --round) {
    std::array<std::size_t, tasks> target{};  // `tasks` for none
    for (auto& one : target) one = static_cast<std::size_t>(dice.roll(tasks + 1));
    std::vector<Future<int>> futures;
    futures.reserve(tasks);
    pool.pause();
    for (std::size_t me = 0; me < tasks; ++me) {
      futures.push_back(pool.submit(
          [&futures, to = target[me]] { return to == tasks ? 0 : futures[to].result() + 1; }));
    }
    pool.resume();
    for (std::size_t me = 0; me < tasks; ++me) {
      int steps = 0;
      std::size_t at = me;
      for (; target[at] != tasks && steps <= static_cast<int>(tasks); ++steps) at = target[at];
      if (target[at] == tasks) {
        ASSERT_EQ(futures[me].result(), steps);
      } else {
        ASSERT_THROW(static_cast<void>(futures[me].result()), DeadlockError);
      }
    }
    watchdog.done();
  }
}

}  // namespace

// Barrier under load. Rounds scale with CONC_STRESS_SCALE.

#include <conc/barrier.hpp>
#include <conc/errors.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

#include "eventually.hpp"
#include "gate.hpp"
#include "stress.hpp"
#include "watchdog.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Barrier;
using conc::BrokenBarrier;
using conc::test::Dice;
using conc::test::rounds;
using conc::test::together;
using conc::test::waiters;
using conc::test::Watchdog;

TEST(BarrierStress, EveryRoundIsMetByAllWithEachIndexOnce) {
  constexpr std::size_t parties = 4;
  const std::int64_t turns = rounds(100'000);
  Barrier barrier(parties);
  std::vector<std::int64_t> turn_of(parties, 0);  // plain: the barrier orders the accesses
  std::vector<std::atomic<std::int64_t>> given(parties);
  together(parties, [&](std::size_t me) {
    for (std::int64_t i = 0; i < turns; ++i) {
      turn_of[me] = i;
      ++given[barrier.wait()];
      for (std::size_t other = 0; other < parties; ++other) ASSERT_EQ(turn_of[other], i);
      ++given[barrier.wait()];
    }
  });
  for (const std::atomic<std::int64_t>& times : given) EXPECT_EQ(times, 2 * turns);
  EXPECT_EQ(barrier.n_waiting(), 0U);
  EXPECT_EQ(waiters(barrier), 0U);
}

TEST(BarrierStress, ARoundTripIsNeverLost) {
  const std::int64_t trips = rounds(1'000'000);
  Barrier barrier(2);
  Watchdog watchdog("rounds");
  together(2, [&](std::size_t me) {
    for (std::int64_t i = 0; i < trips; ++i) {
      static_cast<void>(barrier.wait());
      if (me == 0) watchdog.done();
    }
  });
  EXPECT_FALSE(barrier.broken());
  EXPECT_EQ(waiters(barrier), 0U);
}

// What every thread of a stormy test counts. A round that was complete gave out each index once, so
// the counts are equal; a round that was broken gave out none.
struct Given {
  explicit Given(std::size_t parties) : times(parties) {}
  void expect_equal() const {
    for (const std::atomic<std::int64_t>& count : times) EXPECT_EQ(count, times[0]);
  }
  std::vector<std::atomic<std::int64_t>> times;
};

// Threads come with random patience, somebody aborts and resets at random, the action throws at
// random: a round is complete for all of its parties or broken for all of them.
void storm(std::size_t parties, std::size_t threads, bool with_action) {
  const std::int64_t turns = rounds(20'000);
  Given given(parties);
  std::atomic<std::int64_t> complete{0};
  std::atomic<std::int64_t> failed_actions{0};
  std::atomic<int> acting{0};
  std::atomic<std::size_t> working{threads};
  Dice action_dice(77);
  std::function<void()> action;
  if (with_action) {
    action = [&] {
      EXPECT_EQ(++acting, 1) << "one action at a time";
      const int chance = action_dice.roll(64);
      if (chance < 4) std::this_thread::yield();
      --acting;
      if (chance == 63) throw std::runtime_error("at random");
    };
  }
  Barrier barrier(parties, action);
  std::thread breaker([&] {
    Dice dice(99);
    while (working != 0) {
      if (barrier.broken() || dice.roll(20) == 0) barrier.reset();
      if (dice.roll(40) == 0) barrier.abort();
      std::this_thread::yield();
    }
    barrier.abort();  // frees those whom the others left
  });
  together(threads, [&](std::size_t me) {
    Dice dice(static_cast<unsigned>(me) + 1);
    std::stop_source source;
    for (std::int64_t i = 0; i < turns; ++i) {
      try {
        std::size_t index = 0;
        switch (dice.roll(16)) {
          case 0:
            index = barrier.wait(std::chrono::microseconds(dice.roll(51)));
            break;
          case 1: {
            const std::stop_token token = source.get_token();
            if (dice.roll(2) == 0) {
              source.request_stop();
              source = std::stop_source();
            }
            index = barrier.wait({std::chrono::microseconds(dice.roll(2000)), token});
            break;
          }
          default:
            // Bounded, since the others may have ended.
            index = barrier.wait(2ms);
        }
        ASSERT_LT(index, parties);
        ++given.times[index];
        if (index == 0) ++complete;
      } catch (const BrokenBarrier&) {
        if (dice.roll(4) == 0) barrier.reset();
      } catch (const std::runtime_error&) {
        ++failed_actions;
      }
    }
    --working;
  });
  breaker.join();
  given.expect_equal();
  EXPECT_GT(complete, 0);
  EXPECT_EQ(barrier.n_waiting(), 0U);
  EXPECT_EQ(waiters(barrier), 0U);
  // At rest, and good for another round.
  barrier.reset();
  std::atomic<std::size_t> met{0};
  together(parties, [&](std::size_t) {
    try {
      barrier.wait();
    } catch (const std::runtime_error&) {  // the dice again
    }
    ++met;
  });
  EXPECT_EQ(met, parties);
}

TEST(BarrierStress, ARoundIsCompleteForAllOrBrokenForAll) { storm(3, 3, false); }
TEST(BarrierStress, ARoundIsCompleteForAllOrBrokenForAllWithAnAction) { storm(3, 3, true); }
TEST(BarrierStress, ARoundIsCompleteForAllOrBrokenForAllWithMoreThreadsThanParties) {
  storm(3, 7, false);
  storm(2, 5, true);
}

TEST(BarrierStress, MayBeDestroyedAsSoonAsAllWaitsHaveReturned) {
  const std::int64_t turns = rounds(100'000);
  std::atomic<Barrier*> shared{nullptr};
  std::thread breaker([&] {
    for (std::int64_t i = 0; i < turns; ++i) {
      Barrier* barrier = nullptr;
      while ((barrier = shared.exchange(nullptr)) == nullptr) std::this_thread::yield();
      while (barrier->n_waiting() == 0) {
      }
      if (i % 3 == 0) std::this_thread::yield();  // so that the other one sleeps
      i % 2 == 0 ? barrier->abort() : barrier->reset();
    }
  });
  for (std::int64_t i = 0; i < turns; ++i) {
    auto barrier = std::make_unique<Barrier>(2);
    shared = barrier.get();
    ASSERT_THROW(barrier->wait(), BrokenBarrier);
    barrier.reset();
  }
  breaker.join();
}

TEST(BarrierStress, TwoThousandThreadsAtOne) {
  constexpr std::size_t n = 2'000;
  std::atomic<int> runs{0};
  Barrier barrier(n, [&] { ++runs; });
  std::vector<std::atomic<int>> given(n);
  std::vector<std::thread> threads;
  threads.reserve(n);
  for (std::size_t i = 0; i < n; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 3; ++round) ++given[barrier.wait()];
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(runs, 3);
  for (const std::atomic<int>& times : given) ASSERT_EQ(times, 3);
  EXPECT_EQ(barrier.n_waiting(), 0U);
  EXPECT_EQ(waiters(barrier), 0U);
}

}  // namespace

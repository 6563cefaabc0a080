// Wake-ups that race with timeouts and stops: none is lost, none is used twice.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "eventually.hpp"
#include "gate.hpp"
#include "shelf.hpp"
#include "stress.hpp"

namespace {

using namespace std::chrono_literals;
using conc::test::Dice;
using conc::test::rounds;
using conc::test::Shelf;
using conc::test::together;
using conc::test::waiters;

struct Tally {
  std::atomic<std::int64_t> offered{0};   // wake-ups that took a waiter off the list
  std::atomic<std::int64_t> taken{0};     // waits that returned with one
  std::atomic<std::int64_t> given_up{0};  // waits that returned without
};

// Wakes one to three at a time until every waiter is done.
void offer(Shelf& shelf, Tally& tally, const std::atomic<int>& waiting, unsigned seed) {
  Dice dice(seed);
  while (waiting != 0) {
    const std::size_t woken = shelf.wake(static_cast<std::size_t>(dice.roll(3)) + 1);
    tally.offered += static_cast<std::int64_t>(woken);
    if (woken == 0) std::this_thread::yield();
  }
}

TEST(WaitingStress, ATimeoutThatRacesWithAWakeUpLosesNone) {
  Shelf shelf;
  Tally tally;
  const std::int64_t each = rounds(20'000);
  std::atomic<int> waiting{4};
  together(6, [&](std::size_t who) {
    Dice dice(static_cast<unsigned>(who) + 1);
    if (who < 2) return offer(shelf, tally, waiting, static_cast<unsigned>(who) + 100);
    for (std::int64_t i = 0; i < each; ++i) {
      (shelf.wait(std::chrono::microseconds(dice.roll(51))) ? tally.taken : tally.given_up) += 1;
    }
    --waiting;
  });
  EXPECT_EQ(tally.taken, tally.offered);
  EXPECT_EQ(tally.taken + tally.given_up, 4 * each);
  EXPECT_GT(tally.taken, 0);
  EXPECT_EQ(waiters(shelf), 0U);
}

TEST(WaitingStress, AStopThatRacesWithBothLosesNone) {
  Shelf shelf;
  Tally tally;
  const std::int64_t each = rounds(10'000);
  std::atomic<int> waiting{3};
  std::mutex mutex;
  std::vector<std::stop_source> sources(3);
  together(5, [&](std::size_t who) {
    Dice dice(static_cast<unsigned>(who) + 7);
    if (who == 0) return offer(shelf, tally, waiting, 99);
    if (who == 1) {  // stops them at random
      while (waiting != 0) {
        std::stop_source source(std::nostopstate);
        {
          const std::lock_guard lock(mutex);
          source = sources[static_cast<std::size_t>(dice.roll(3))];
        }
        source.request_stop();
        std::this_thread::yield();
      }
      return;
    }
    for (std::int64_t i = 0; i < each; ++i) {
      std::stop_token token;
      {
        const std::lock_guard lock(mutex);
        sources[who - 2] = std::stop_source();
        token = sources[who - 2].get_token();
      }
      const bool woken = dice.roll(2) == 0
                             ? shelf.wait({std::chrono::microseconds(dice.roll(51)), token})
                             : shelf.wait({1h, token});
      (woken ? tally.taken : tally.given_up) += 1;
    }
    --waiting;
  });
  EXPECT_EQ(tally.taken, tally.offered);
  EXPECT_EQ(tally.taken + tally.given_up, 3 * each);
  EXPECT_EQ(waiters(shelf), 0U);
}

TEST(WaitingStress, TheObjectMayGoRightAfterTheLastWait) {
  // The waiter frees the shelf as soon as it is woken; the waker is still in wake().
  for (std::int64_t i = rounds(5'000); i > 0; --i) {
    auto shelf = std::make_unique<Shelf>();
    std::thread waker([raw = shelf.get()] {
      conc::detail::WakeChain chain;
      while (chain.empty()) {
        const std::lock_guard lock(raw->mutex_);
        chain = raw->waiters_.take_all();
      }
      chain.wake_all();
    });
    EXPECT_TRUE(shelf->wait(conc::forever));
    { const std::lock_guard as_every_destructor_does(shelf->mutex_); }
    shelf.reset();
    waker.join();
  }
}

}  // namespace

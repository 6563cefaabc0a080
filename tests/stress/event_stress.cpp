#include <conc/event.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>

#include "eventually.hpp"
#include "gate.hpp"
#include "stress.hpp"
#include "watchdog.hpp"

namespace {

using conc::Event;
using conc::test::Dice;
using conc::test::rounds;
using conc::test::together;
using conc::test::waiters;
using conc::test::Watchdog;

TEST(EventStress, AMillionRoundTrips) {
  Event ping;
  Event pong;
  const std::int64_t count = rounds(1'000'000);
  Watchdog watchdog("round trips");
  std::thread other([&] {
    for (std::int64_t i = 0; i < count; ++i) {
      ping.wait();
      ping.clear();
      pong.set();
    }
  });
  for (std::int64_t i = 0; i < count; ++i) {
    ping.set();
    pong.wait();
    pong.clear();
    watchdog.done();
  }
  other.join();
  EXPECT_FALSE(ping.is_set() || pong.is_set());
}

TEST(EventStress, TimedWaitersAndPulsesLoseNobodyForEver) {
  // Pulses at random; a waiter without a timeout returns as soon as one comes after it began, and
  // one comes at last.
  Event event;
  std::atomic<int> waiting{5};
  std::atomic<std::int64_t> woken{0};
  std::atomic<std::int64_t> timed_out{0};
  const std::int64_t each = rounds(10'000);
  together(6, [&](std::size_t who) {
    Dice dice(static_cast<unsigned>(who) + 1);
    if (who == 0) {
      while (waiting != 0) {
        event.set();
        event.clear();
        for (int i = dice.roll(400); i > 0; --i) conc::detail::cpu_pause();
        if (dice.roll(4) == 0) std::this_thread::yield();
      }
      return;
    }
    for (std::int64_t i = 0; i < each; ++i) {
      if (who == 1) {
        event.wait();
        ++woken;
      } else {
        (event.wait(std::chrono::microseconds(dice.roll(51))) ? woken : timed_out) += 1;
      }
    }
    --waiting;
  });
  EXPECT_EQ(woken + timed_out, 5 * each);
  EXPECT_EQ(waiters(event), 0U);
}

TEST(EventStress, MayBeDestroyedWhileSetIsOnItsWayOut) {
  std::atomic<Event*> shared{nullptr};
  const std::int64_t count = rounds(100'000);
  std::thread setter([&] {
    for (std::int64_t i = 0; i < count; ++i) {
      Event* event = nullptr;
      while ((event = shared.exchange(nullptr)) == nullptr) std::this_thread::yield();
      event->set();
    }
  });
  for (std::int64_t i = 0; i < count; ++i) {
    auto* const event = new Event;
    shared = event;
    if (i % 2 == 0) {
      event->wait();
    } else {
      while (!event->wait(std::chrono::microseconds(i % 20))) {
      }
    }
    delete event;
  }
  setter.join();
}

TEST(EventStress, TwoThousandThreadsOnOne) {
  Event event;
  const auto count = static_cast<std::size_t>(rounds(2'000));
  std::atomic<std::size_t> woken{0};
  together(count + 1, [&](std::size_t who) {
    if (who == count) {
      EXPECT_TRUE(conc::test::eventually_waiting(event, count));
      event.set();
      event.clear();
    } else {
      event.wait();
      ++woken;
    }
  });
  EXPECT_EQ(woken, count);
  EXPECT_EQ(waiters(event), 0U);
}

}  // namespace

// The time of a logging call: read from the processor's counter, true to the system's clock.

#include "../src/logging/call_clock.hpp"

#include <conc/logging.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace conc::logging::detail {
namespace {

using namespace std::chrono_literals;
using Time = CallClock::Time;
using Wall = std::chrono::system_clock;

// A machine whose clocks stand still unless they are told to go on.
class Machine {
 public:
  explicit Machine(double ticks_per_ns = 3) : ticks_per_ns_(ticks_per_ns) {}

  void pass(Time time) {
    wall += time;
    steady_ += time;
    passed_ += time;
    const auto counted = static_cast<std::uint64_t>(
        std::llround(static_cast<double>(passed_.count()) * ticks_per_ns_));
    ticks += counted - std::exchange(counted_, counted);
  }

  // What call_time() does.
  Time read() {
    if (clock_.reaches(ticks)) return clock_.at(ticks);
    ++looks;
    CallClock::Look look{ticks, wall, steady_, 0};
    pass(length_of_look);
    look.after = ticks;
    return clock_.look(look);
  }

  // Reads every 100 ns.
  void read_for(Time time) {
    for (; time > 0ns; time -= 100ns) {
      pass(100ns);
      read();
    }
  }

  Time wall = std::chrono::hours(500'000);
  std::uint64_t ticks = 1'000'000'000'000;
  Time length_of_look = 30ns;
  int looks = 0;

 private:
  const double ticks_per_ns_;
  Time steady_ = 1h;
  Time passed_{0};
  std::uint64_t counted_ = 0;
  CallClock clock_;
};

int looks_in(Machine& machine, Time time) {
  const int before = machine.looks;
  machine.read_for(time);
  return machine.looks - before;
}

constexpr int reads_in_10_ms = 100'000;

TEST(CallClock, AsksRarelyOnceItKnowsTheCounter) {
  for (const double ticks_per_ns : {0.024, 1.0, 2.45, 5.7}) {
    Machine machine(ticks_per_ns);
    EXPECT_EQ(looks_in(machine, 1ms), 10'000) << "nothing is known yet";
    machine.read_for(3ms);
    const int looks = looks_in(machine, 10ms);
    EXPECT_GE(looks, 95) << ticks_per_ns;
    EXPECT_LE(looks, 101) << ticks_per_ns;
  }
}

TEST(CallClock, SaysWhatTheSystemSays) {
  Machine machine(2.45);
  Time last{0};
  Time largest{0};
  for (int i = 0; i < 200'000; ++i) {
    machine.pass(Time(37 + i % 100));
    const Time time = machine.read();
    largest = std::max(largest, std::chrono::abs(time - machine.wall));
    EXPECT_GE(time, last);
    last = time;
  }
  EXPECT_LT(largest, 100ns);
  EXPECT_LT(machine.looks, 30'000);
}

TEST(CallClock, DoesNotGoBackWhenTheCounterWasALittleFast) {
  Machine machine;
  machine.read_for(5ms);
  Time last{0};
  for (int i = 0; i < 100'000; ++i) {
    machine.pass(100ns);
    if (i % 5'000 == 2'500) machine.ticks += 1'500;  // half a microsecond
    const Time time = machine.read();
    EXPECT_GE(time, last);
    EXPECT_LT(std::chrono::abs(time - machine.wall), 1us);
    last = time;
  }
}

TEST(CallClock, FollowsAClockThatIsSet) {
  for (const Time step : {Time(1h), Time(-1h), Time(1ms), Time(-1ms)}) {
    Machine machine;
    machine.read_for(5ms);
    machine.wall += step;
    machine.read_for(CallClock::reach + 200ns);
    for (int i = 0; i < 50'000; ++i) {
      machine.pass(100ns);
      EXPECT_LT(std::chrono::abs(machine.read() - machine.wall), 1us);
    }
    EXPECT_LT(looks_in(machine, 10ms), 102) << "the counter is still known";
  }
}

TEST(CallClock, WithoutACounterAsksEachTime) {
  Machine machine(0);
  machine.ticks = 0;
  machine.length_of_look = 0ns;
  for (int i = 0; i < 100'000; ++i) {
    machine.pass(100ns);
    EXPECT_EQ(machine.read(), machine.wall);
  }
  EXPECT_EQ(machine.looks, 100'000);
}

TEST(CallClock, DoesNotTrustACounterThatGoesNowFastNowSlow) {
  Machine machine;
  machine.length_of_look = 0ns;
  for (int i = 0; i < reads_in_10_ms; ++i) {
    machine.pass(100ns);
    machine.ticks += i / 10'000 % 2 == 0 ? 30 : 0;  // changes every millisecond
    EXPECT_EQ(machine.read(), machine.wall);
  }
}

TEST(CallClock, ACounterThatJumpsDoesNoHarm) {
  for (const std::int64_t jump : {std::int64_t{1} << 40, -(std::int64_t{1} << 39)}) {
    Machine machine;
    machine.read_for(5ms);
    machine.ticks += static_cast<std::uint64_t>(jump);
    for (int i = 0; i < 50'000; ++i) {
      machine.pass(100ns);
      EXPECT_LT(std::chrono::abs(machine.read() - machine.wall), 1us);
    }
    EXPECT_LT(looks_in(machine, 10ms), 102) << "and is trusted again";
  }
}

TEST(CallClock, NothingIsLearntFromALookThatWasInterrupted) {
  Machine machine;
  machine.read_for(5ms);
  machine.pass(1ms);
  machine.length_of_look = 1ms;
  const Time before = machine.wall;
  EXPECT_EQ(machine.read(), before);
  machine.length_of_look = 30ns;
  machine.pass(1ms);
  for (int i = 0; i < 10'000; ++i) {
    machine.pass(100ns);
    EXPECT_LT(std::chrono::abs(machine.read() - machine.wall), 1us);
  }

  Machine slow;
  slow.length_of_look = 1us;
  EXPECT_EQ(looks_in(slow, 10ms), reads_in_10_ms) << "the system does not trust the counter";
}

class Times : public Handler {
 public:
  Times() : Handler(Wants::record) {}
  std::vector<Wall::time_point> seen;

 private:
  void emit(const LogRecord& record, std::string_view) override { seen.push_back(record.created); }
};

TEST(CallTime, IsTheSystemsTimeInEachThread) {
  const int calls = 100'000;
  const auto tolerance = 2us;
  std::vector<std::thread> threads;
  for (const char* const name : {"clock.a", "clock.b", "clock.c"}) {
    threads.emplace_back([=] {
      Logger& logger = get_logger(name);
      const auto times = std::make_shared<Times>();
      times->seen.reserve(calls);
      logger.set_propagate(false);
      logger.set_level(Level::info);
      logger.add_handler(times);
      int early = 0;
      int late = 0;
      for (int i = 0; i < calls; ++i) {
        const auto before = Wall::now();
        logger.info("{}", i);
        const auto after = Wall::now();
        early += times->seen.back() < before - tolerance;
        late += times->seen.back() > after + tolerance;
      }
      logger.remove_handler(times);
      EXPECT_EQ(times->seen.size(), calls);
      EXPECT_EQ(early, 0);
      EXPECT_EQ(late, 0);
      EXPECT_TRUE(std::is_sorted(times->seen.begin(), times->seen.end()));
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace conc::logging::detail

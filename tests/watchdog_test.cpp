// The stress tests' watchdog: it would be of no use if it slept when it is needed.

#include <conc/diagnostics.hpp>
#include <conc/event.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>
#include <thread>

#include "child.hpp"
#include "eventually.hpp"
#include "watchdog.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Event;
using conc::test::ChildEnd;
using conc::test::run_child;
using conc::test::Watchdog;

TEST(Watchdog, EndsAStandstillAndSaysWhoWaitsForWhat) {
  if (conc::test::scenario() != nullptr) {
    Event pong("pong");
    std::thread waiter([&pong] { pong.wait(); });
    ASSERT_TRUE(conc::test::eventually([] { return !conc::snapshot().objects.empty(); }));
    Watchdog watchdog("pings", 1ms);
    waiter.join();
  }
  const ChildEnd child = run_child("standstill");
  EXPECT_EQ(child.status, 128 + SIGABRT);
  EXPECT_NE(child.output.find("after 0 pings"), std::string::npos) << child.output;
  EXPECT_NE(child.output.find("Event \"pong\""), std::string::npos) << child.output;
}

TEST(Watchdog, LeavesAloneWhatGoesOnHoweverLongItTakes) {
  // Longer than its patience, but never idle: it looks twice meanwhile.
  const auto end = std::chrono::steady_clock::now() + 1200ms;
  Watchdog watchdog("turns", 500ms);
  std::int64_t turns = 0;
  for (; std::chrono::steady_clock::now() < end; ++turns) watchdog.done();
  EXPECT_GT(turns, 0);
}

}  // namespace

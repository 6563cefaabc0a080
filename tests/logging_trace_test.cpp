// The waits that CONC_TRACE=1 tells of, as records of the logger "conc.trace"; and on stderr where
// these would not be taken.

#include <conc/event.hpp>
#include <conc/lock.hpp>
#include <conc/logging.hpp>
#include <conc/thread.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "asleep.hpp"
#include "child.hpp"
#include "eventually.hpp"
#include "gate.hpp"
#include "logging_fixture.hpp"

namespace {

namespace logging = conc::logging;
using conc::Lock;
using conc::Thread;
using conc::test::eventually;
using conc::test::eventually_waiting;
using conc::test::KeepingHandler;
using logging::get_logger;
using logging::Level;

// ---- The scenarios: what the child's main() does, returning its exit status.

int record_of_a_wait() {
  const auto kept = std::make_shared<KeepingHandler>();
  kept->set_formatter(
      std::make_shared<logging::Formatter>("%(levelname)s %(name)s %(threadName)s %(message)s"));
  get_logger().add_handler(kept);
  get_logger("conc.trace").set_level(Level::debug);
  Lock gun("gun");
  gun.acquire();
  Thread bill({.name = "Bill"}, [&gun] {
    gun.acquire();
    gun.release();
  });
  bill.start();
  const std::regex line(
      R"(DEBUG conc\.trace conc\.trace "Bill" \(\d+\) waits to acquire Lock "gun" held by )"
      R"("MainThread" \(1\))");
  const bool came = eventually([&] {
    const auto lines = kept->lines();
    return std::any_of(lines.begin(), lines.end(),
                       [&](const std::string& one) { return std::regex_match(one, line); });
  });
  gun.release();
  return came ? 0 : 1;
}

// A wait that there is something to tell of.
int wait_for_the_gun() {
  Lock gun("gun");
  gun.acquire();
  Thread bill({.name = "Bill"}, [&gun] {
    gun.acquire();
    gun.release();
  });
  bill.start();
  const bool waits = eventually([] { return conc::test::asleep("Bill"); });
  gun.release();
  return waits ? 0 : 1;
}

int logger_not_enabled() {
  get_logger().add_handler(std::make_shared<KeepingHandler>());
  return wait_for_the_gun();
}

int no_handler() {
  get_logger().set_level(Level::debug);
  return wait_for_the_gun();
}

int handler_not_on_the_way() {
  get_logger().add_handler(std::make_shared<KeepingHandler>());
  get_logger("conc.trace").set_level(Level::debug);
  get_logger("conc.trace").set_propagate(false);
  return wait_for_the_gun();
}

int handler_of_higher_level() {
  const auto kept = std::make_shared<KeepingHandler>();
  kept->set_level(Level::info);
  get_logger().add_handler(kept);
  get_logger("conc.trace").set_level(Level::debug);
  return wait_for_the_gun();
}

// Threads that wait for each other at a handler have nothing to say of it.
int busy_handler() {
  class Slow : public logging::Handler {
   public:
    std::size_t own = 0;
    std::size_t of_logging = 0;

   private:
    void emit(const logging::LogRecord& record, std::string_view) override {
      if (record.name == "mine") ++own;
      if (record.message.find("logging.Handler") != std::string_view::npos) ++of_logging;
      std::this_thread::yield();
    }
  };
  const auto slow = std::make_shared<Slow>();
  get_logger().add_handler(slow);
  get_logger("conc.trace").set_level(Level::debug);
  logging::Logger& mine = get_logger("mine");
  conc::test::together(4, [&mine](std::size_t) {
    for (int i = 0; i < 2000; ++i) mine.warning("{}", i);
  });
  if (slow->lost() != 0) return 1;
  if (slow->of_logging != 0) return 3;
  return slow->own == 8000 ? 0 : 2;
}

// A record would wake the listener, which would tell that it waits for the next.
int listener_at_rest() {
  const auto queue = std::make_shared<logging::RecordQueue>();
  const auto kept = std::make_shared<KeepingHandler>();
  logging::QueueListener listener(queue, {kept});
  get_logger().add_handler(std::make_shared<logging::QueueHandler>(queue));
  get_logger().set_level(Level::debug);
  listener.start();
  get_logger("mine").warning("one");
  if (!eventually([&] { return !kept->lines().empty(); })) return 1;
  if (!eventually_waiting(*queue, 1)) return 2;
  listener.stop();
  for (const std::string& line : kept->lines()) {
    if (line.find("\"logging.QueueListener\" (") == 0) {
      std::fprintf(stderr, "%s\n", line.c_str());
      return 3;
    }
  }
  return 0;
}

const std::map<std::string, std::function<int()>>& scenarios() {
  static const std::map<std::string, std::function<int()>> all{
      {"record_of_a_wait", record_of_a_wait},
      {"logger_not_enabled", logger_not_enabled},
      {"no_handler", no_handler},
      {"handler_not_on_the_way", handler_not_on_the_way},
      {"handler_of_higher_level", handler_of_higher_level},
      {"busy_handler", busy_handler},
      {"listener_at_rest", listener_at_rest},
  };
  return all;
}

// ---- The tests

void ends_well(const char* scenario) {
  const conc::test::ChildEnd child = conc::test::run_child(scenario, {"CONC_TRACE=1"});
  EXPECT_EQ(child.status, 0);
  EXPECT_EQ(child.output, "");
}

TEST(LoggingTrace, AWaitIsARecordOfItsLogger) { ends_well("record_of_a_wait"); }

TEST(LoggingTrace, WhatNobodyTakesIsALineOnStderr) {
  const std::regex line(R"((^|\n)conc\.trace: "Bill" \(\d+\) waits to acquire Lock "gun" held by )"
                        R"("MainThread" \(1\)\n)");
  for (const char* const scenario :
       {"logger_not_enabled", "no_handler", "handler_not_on_the_way", "handler_of_higher_level"}) {
    const conc::test::ChildEnd child = conc::test::run_child(scenario, {"CONC_TRACE=1"});
    EXPECT_EQ(child.status, 0) << scenario;
    EXPECT_TRUE(std::regex_search(child.output, line)) << scenario << ": " << child.output;
  }
}

TEST(LoggingTrace, WaitsInOrderToLogAreLeftOut) { ends_well("busy_handler"); }

TEST(LoggingTrace, ListenerIsLeftAtRest) { ends_well("listener_at_rest"); }

}  // namespace

int main(int argc, char** argv) {
  if (const std::optional<int> status = conc::test::run_scenario(scenarios())) return *status;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

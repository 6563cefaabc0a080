// What is said on stderr about records that are lost before any handler has them: all of them, by
// whichever call or logger.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>

#include "child.hpp"
#include "eventually.hpp"
#include "forked.hpp"
#include "logging_fixture.hpp"

namespace conc::test {
namespace {

struct Refusing {};

}  // namespace
}  // namespace conc::test

template <>
struct fmt::formatter<conc::test::Refusing> : fmt::formatter<int> {
  template <class Context>
  auto format(const conc::test::Refusing&, Context& context) const -> decltype(context.out()) {
    throw std::runtime_error("no way");
  }
};

namespace conc::test {
namespace {

using logging::get_logger;

// How many losses the text tells of: those that are named, and those that were left out.
std::uint64_t told(const std::string& text) {
  static const std::regex loss("(no way)|([0-9]+) more");
  std::uint64_t losses = 0;
  for (std::sregex_iterator at(text.begin(), text.end(), loss), end; at != end; ++at) {
    losses += (*at)[1].matched ? 1 : std::stoull((*at)[2].str());
  }
  return losses;
}

void refuse(int times) {
  for (int i = 0; i < times; ++i) logging::warning("{}", Refusing{});
}

// Destroyed after all of the library's own globals if it is linked statically.
struct RefusingAtItsEnd {
  bool armed = false;
  ~RefusingAtItsEnd() {
    if (armed) refuse(7);
  }
} last_of_all;

// No handler here: nothing else of logging hears of the end of the process.
int two_calls() {
  for (int i = 0; i < 50; ++i) {
    logging::warning("one {}", Refusing{});
    logging::warning("two {}", Refusing{});
  }
  last_of_all.armed = true;
  return 0;
}

TEST(LoggingComplaint, WhatTwoCallsCouldNotFormatIsToldUntilTheVeryEnd) {
  const ChildEnd end = run_child("two_calls");
  EXPECT_EQ(end.status, 0);
  EXPECT_EQ(told(end.output), 107u) << end.output;
}

int two_filters() {
  for (const char* const name : {"a", "b"}) {
    get_logger(name).add_filter(std::make_shared<logging::Filter>(
        [](const logging::LogRecord&) -> bool { throw std::runtime_error("no way"); }));
    for (int i = 0; i < 50; ++i) get_logger(name).warning("w");
  }
  return 0;
}

TEST(LoggingComplaint, WhatTheFiltersOfTwoLoggersThrewIsTold) {
  const ChildEnd end = run_child("two_filters");
  EXPECT_EQ(end.status, 0);
  EXPECT_EQ(told(end.output), 100u) << end.output;
  EXPECT_NE(end.output.find("logger \"a\": a record was lost: "), std::string::npos) << end.output;
}

// One sort is not in the way of the other.
int both_and_shutdown() {
  two_filters();
  refuse(50);
  logging::shutdown();
  std::fputs("shut down\n", stderr);
  return 0;
}

TEST(LoggingComplaint, WhatWasLeftOutIsToldByShutdown) {
  const ChildEnd end = run_child("both_and_shutdown");
  EXPECT_EQ(end.status, 0);
  const std::size_t shut_down = end.output.find("shut down\n");
  ASSERT_NE(shut_down, std::string::npos);
  EXPECT_EQ(told(end.output.substr(0, shut_down)), 150u) << end.output;
  EXPECT_EQ(end.output.substr(shut_down), "shut down\n");
  EXPECT_NE(end.output.find("could not be formatted: std::runtime_error: no way\n"),
            std::string::npos)
      << end.output;
}

int a_second_later() {
  refuse(10);
  const auto over = std::chrono::steady_clock::now() + std::chrono::milliseconds(1100);
  if (!eventually([&] { return std::chrono::steady_clock::now() > over; })) return 1;
  refuse(1);
  std::fputs("told\n", stderr);
  return 0;
}

TEST(LoggingComplaint, WhatWasLeftOutIsToldWithTheNext) {
  const ChildEnd end = run_child("a_second_later");
  EXPECT_EQ(end.status, 0);
  EXPECT_NE(end.output.find(" more were lost meanwhile)\n"), std::string::npos) << end.output;
  EXPECT_EQ(told(end.output.substr(0, end.output.find("told\n"))), 11u) << end.output;
}

int fork_after_losses() {
  refuse(10);
  return in_child([] {
    refuse(1);
    logging::shutdown();
  });
}

TEST(LoggingComplaint, ChildOfAForkLeavesItToTheParentWhatWasLeftOut) {
  if (!a_child_may_allocate) GTEST_SKIP() << "not under a sanitizer";
  const ChildEnd end = run_child("fork_after_losses");
  EXPECT_EQ(end.status, 0);
  EXPECT_EQ(told(end.output), 11u) << end.output;
}

const std::map<std::string, std::function<int()>>& scenarios() {
  static const std::map<std::string, std::function<int()>> all{
      {"two_calls", two_calls},
      {"two_filters", two_filters},
      {"both_and_shutdown", both_and_shutdown},
      {"a_second_later", a_second_later},
      {"fork_after_losses", fork_after_losses},
  };
  return all;
}

}  // namespace
}  // namespace conc::test

int main(int argc, char** argv) {
  if (const auto status = conc::test::run_scenario(conc::test::scenarios())) return *status;
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

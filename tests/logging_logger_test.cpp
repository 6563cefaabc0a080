#include <conc/future.hpp>
#include <conc/hooks.hpp>
#include <conc/lock.hpp>
#include <conc/promise.hpp>
#include <conc/thread.hpp>
#include <conc/thread_pool_executor.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "allocations.hpp"
#include "eventually.hpp"
#include "logging_fixture.hpp"

namespace conc::test {
namespace {

using logging::get_logger;
using logging::Level;
using logging::Logger;

class LoggerTest : public LoggingTest {};

// ---- Handlers and propagation

TEST_F(LoggerTest, DisabledLoggerLogsNothingAndItsChildrenDo) {
  const auto kept = keep(get_logger());
  Logger& logger = get_logger("disabled");
  logger.set_disabled(true);
  EXPECT_TRUE(logger.disabled());
  EXPECT_FALSE(logger.is_enabled_for(Level::critical));
  logger.critical("no");
  logger.handle({.name = "disabled", .level = Level::critical, .message = "no"});
  get_logger("disabled.child").critical("yes");
  logger.set_disabled(false);
  logger.critical("yes again");
  EXPECT_EQ(kept->lines(), (Lines{"yes", "yes again"}));
}

TEST_F(LoggerTest, RecordGoesToTheHandlersOfAllAncestors) {
  const auto at_root = keep(get_logger());
  const auto at_top = keep(get_logger("spread"));
  const auto at_leaf = keep(get_logger("spread.a.b"));
  get_logger("spread.a.b").warning("w");
  get_logger("spread.a").warning("v");
  EXPECT_EQ(at_leaf->lines(), (Lines{"w"}));
  EXPECT_EQ(at_top->lines(), (Lines{"w", "v"}));
  EXPECT_EQ(at_root->lines(), (Lines{"w", "v"}));
}

TEST_F(LoggerTest, AncestorsLevelsAndFiltersDoNotStopARecord) {
  Logger& top = get_logger("consult");
  const auto kept = keep(top);
  top.set_level(Level::critical);
  const auto never =
      std::make_shared<logging::Filter>([](const logging::LogRecord&) { return false; });
  top.add_filter(never);
  Logger& leaf = get_logger("consult.leaf");
  leaf.set_level(Level::debug);
  leaf.debug("through");
  top.critical("not through");
  top.remove_filter(never);
  EXPECT_EQ(kept->lines(), (Lines{"through"}));
}

TEST_F(LoggerTest, TimeThatABridgeGivesMayBeAny) {
  using Time = std::chrono::system_clock::time_point;
  const auto kept = keep(get_logger("times"), "%(relativeCreated)d");
  for (const Time time : {Time::min(), Time::max()}) {
    get_logger("times").write(Level::error, {}, "m", {}, {}, time);
  }
  const Lines lines = kept->lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "-9223372036854");
  EXPECT_NE(lines[1].front(), '-');
}

TEST_F(LoggerTest, HandlersOwnLevelStopsARecord) {
  Logger& logger = get_logger("gate");
  logger.set_level(Level::debug);
  const auto kept = keep(logger);
  kept->set_level(static_cast<Level>(21));
  logger.info("20");
  logger.log(static_cast<Level>(21), "21");
  logger.warning("30");
  EXPECT_EQ(kept->lines(), (Lines{"21", "30"}));
}

TEST_F(LoggerTest, PropagationEndsWhereItIsSwitchedOff) {
  const auto at_root = keep(get_logger());
  const auto at_top = keep(get_logger("stop"));
  get_logger("stop").set_propagate(false);
  EXPECT_FALSE(get_logger("stop").propagate());
  get_logger("stop.leaf").warning("w");
  EXPECT_EQ(at_top->lines(), (Lines{"w"}));
  EXPECT_EQ(at_root->lines(), (Lines{}));
}

TEST_F(LoggerTest, SameHandlerTwiceIsOnce) {
  Logger& logger = get_logger("once");
  const auto kept = keep(logger);
  logger.add_handler(kept);
  EXPECT_EQ(logger.handlers().size(), 1u);
  logger.warning("w");
  EXPECT_EQ(kept->lines(), (Lines{"w"}));
}

TEST_F(LoggerTest, RemovedHandlerGetsNothingMoreAndIsLetGo) {
  Logger& logger = get_logger("remove");
  auto kept = keep(logger);
  logger.remove_handler(kept);
  logger.remove_handler(kept);
  logger.set_propagate(false);
  logger.info("nobody hears it");
  EXPECT_EQ(kept->lines(), (Lines{}));
  EXPECT_EQ(kept.use_count(), 1);
}

TEST_F(LoggerTest, HandlersAreListedInTheOrderTheyWereAdded) {
  Logger& logger = get_logger("order");
  const auto first = keep(logger);
  const auto second = keep(logger);
  EXPECT_EQ(logger.handlers(), (std::vector<std::shared_ptr<logging::Handler>>{first, second}));
}

TEST_F(LoggerTest, HasHandlersLooksAlongTheWayOfARecord) {
  Logger& leaf = get_logger("has.leaf");
  EXPECT_FALSE(leaf.has_handlers());
  const auto kept = keep(get_logger());
  EXPECT_TRUE(leaf.has_handlers());
  leaf.set_propagate(false);
  EXPECT_FALSE(leaf.has_handlers());
  leaf.add_handler(kept);
  EXPECT_TRUE(leaf.has_handlers());
}

TEST_F(LoggerTest, NullIsNeitherHandlerNorFilter) {
  EXPECT_THROW(get_logger("null").add_handler(nullptr), std::invalid_argument);
  EXPECT_THROW(get_logger("null").add_filter(nullptr), std::invalid_argument);
}

TEST_F(LoggerTest, WarningsThatFindNoHandlerGoToStderrBare) {
  Logger& logger = get_logger("lastresort");
  logger.set_level(Level::debug);
  ::testing::internal::CaptureStderr();
  logger.info("info");
  logger.warning("a {}", "warning");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "a warning\n");
}

TEST_F(LoggerTest, NullHandlerSilencesTheLastResort) {
  Logger& logger = get_logger("silent");
  logger.add_handler(std::make_shared<logging::NullHandler>());
  ::testing::internal::CaptureStderr();
  logger.critical("nobody hears it");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_F(LoggerTest, FilterOnALoggerSeesOnlyWhatIsLoggedThere) {
  Logger& logger = get_logger("filtered");
  const auto kept = keep(logger);
  const auto filter = std::make_shared<logging::Filter>(
      [](const logging::LogRecord& record) { return record.message != "drop"; });
  logger.add_filter(filter);
  logger.add_filter(filter);
  logger.warning("drop");
  logger.warning("keep");
  get_logger("filtered.child").warning("drop");
  logger.remove_filter(filter);
  logger.warning("drop");
  EXPECT_EQ(kept->lines(), (Lines{"keep", "drop", "drop"}));
}

// ---- Calls

TEST_F(LoggerTest, EveryCallHasItsLevel) {
  Logger& logger = get_logger("calls");
  logger.set_level(static_cast<Level>(1));
  const auto kept = keep(logger, "%(levelname)s %(message)s");
  logger.debug("{}", 1);
  logger.info("{}", 2);
  logger.warning("{}", 3);
  logger.error("{}", 4);
  logger.critical("{}", 5);
  logger.log(static_cast<Level>(25), "{} {}", 6, "six");
  EXPECT_EQ(kept->lines(),
            (Lines{"DEBUG 1", "INFO 2", "WARNING 3", "ERROR 4", "CRITICAL 5", "Level 25 6 six"}));
}

struct Counting {
  int* formatted;
};

}  // namespace
}  // namespace conc::test

template <>
struct fmt::formatter<conc::test::Counting> : fmt::formatter<int> {
  template <class Context>
  auto format(const conc::test::Counting& value, Context& context) const {
    return fmt::formatter<int>::format(++*value.formatted, context);
  }
};

namespace conc::test {
namespace {

struct Refusing {};

}  // namespace
}  // namespace conc::test

template <>
struct fmt::formatter<conc::test::Refusing> : fmt::formatter<int> {
  template <class Context>
  auto format(const conc::test::Refusing&, Context& context) const -> decltype(context.out()) {
    throw std::runtime_error("cannot be shown");
  }
};

namespace conc::test {
namespace {

TEST_F(LoggerTest, ArgumentsAreFormattedOnlyWhenEnabledAndOnceForAllHandlers) {
  Logger& logger = get_logger("lazy");
  const auto one = keep(logger);
  const auto two = keep(get_logger());
  int formatted = 0;
  logger.debug("{}", Counting{&formatted});
  EXPECT_EQ(formatted, 0);
  logger.warning("{}", Counting{&formatted});
  EXPECT_EQ(formatted, 1);
  EXPECT_EQ(one->lines(), two->lines());
}

TEST_F(LoggerTest, ArgumentsAreReferredToNotCopied) {
  const auto kept = keep(get_logger("refer"));
  auto owner = std::make_unique<int>(7);
  const std::string text = "{not a field}";
  get_logger("refer").warning("{} {} {:>4}|", *owner, text, std::string_view("ab"));
  EXPECT_EQ(kept->lines(), (Lines{"7 {not a field}   ab|"}));
}

TEST_F(LoggerTest, WhatFormattingThrowsStaysInTheCallAndIsReported) {
  const auto kept = keep(get_logger("refuse"));
  ::testing::internal::CaptureStderr();
  get_logger("refuse").warning("{}", Refusing{});
  const std::string report = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(report.find("logging_logger_test.cpp"), std::string::npos) << report;
  EXPECT_NE(report.find("cannot be shown"), std::string::npos) << report;
  EXPECT_EQ(kept->lines(), (Lines{}));
}

TEST_F(LoggerTest, ExceptionIsAnErrorAndAddsWhatIsBeingHandled) {
  const auto kept = keep(get_logger("exception"), "%(levelname)s %(message)s");
  try {
    try {
      throw std::runtime_error("the inner one");
    } catch (...) {
      std::throw_with_nested(std::invalid_argument("the outer one"));
    }
  } catch (...) {
    get_logger("exception").exception("it {}", "failed");
  }
  const Lines lines = kept->lines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].starts_with("ERROR it failed\n")) << lines[0];
  EXPECT_NE(lines[0].find("the outer one"), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find("std::runtime_error: the inner one"), std::string::npos) << lines[0];
}

TEST_F(LoggerTest, ExceptionOutsideACatchBlockIsAnError) {
  const auto kept = keep(get_logger("noexception"), "%(levelname)s %(message)s");
  get_logger("noexception").exception("nothing");
  EXPECT_EQ(kept->lines(), (Lines{"ERROR nothing"}));
}

template <class... Args>
void pass_on(logging::FormatString<std::type_identity_t<Args>...> format, Args&&... args) {
  get_logger("record").warning(format, std::forward<Args>(args)...);
}

TEST_F(LoggerTest, RecordSaysWhereWhenAndByWhom) {
  using Clock = std::chrono::system_clock;
  const auto kept = keep(get_logger("record"));
  const auto before = Clock::now();
  const auto line = static_cast<std::uint32_t>(__LINE__ + 1);
  get_logger("record").warning("direct");
  pass_on("passed {}", "on");
  const auto after = Clock::now();
  const auto records = kept->take_records();
  ASSERT_EQ(records.size(), 2u);
  for (std::uint32_t i = 0; i < 2; ++i) {
    const logging::LogRecord& record = records[i].record();
    EXPECT_EQ(record.name, "record");
    EXPECT_EQ(record.level, Level::warning);
    EXPECT_EQ(record.pathname, __FILE__);
    EXPECT_EQ(record.filename(), "logging_logger_test.cpp");
    EXPECT_EQ(record.module_name(), "logging_logger_test");
    EXPECT_EQ(record.lineno, line + i);
    EXPECT_EQ(record.func, "TestBody");
    EXPECT_LE(before, record.created);
    EXPECT_LE(record.created, after);
    EXPECT_GE(record.relative_created.count(), 0);
    EXPECT_NE(record.thread, 0u);
    EXPECT_EQ(record.thread_name, "MainThread");
    EXPECT_EQ(record.process, ::getpid());
    EXPECT_EQ(record.process_name, "MainProcess");
    EXPECT_EQ(record.exception, "");
  }
  EXPECT_EQ(records[1].record().message, "passed on");
}

class DroppingHandler : public logging::Handler {
  void emit(const logging::LogRecord&, std::string_view) override {}
};

TEST_F(LoggerTest, RecordIsFormattedWithoutAllocation) {
  Logger& logger = get_logger("frugal");
  const auto handler = std::make_shared<DroppingHandler>();
  handler->set_formatter(std::make_shared<logging::Formatter>(
      "%(asctime)s %(levelname)-8s %(threadName)-12s %(name)s %(lineno)4d %(message)s"));
  logger.add_handler(handler);
  const auto log_one = [&] { logger.warning("{} of {}: {:.2f} %", 3, 4, 75.0); };
  log_one();
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i) log_one();
  EXPECT_EQ(allocations, before);
}

TEST_F(LoggerTest, FinishedTextIsWrittenAsItIs) {
  const auto kept = keep(get_logger("bridge"), "%(filename)s:%(lineno)d %(message)s");
  get_logger("bridge").write(Level::error, {"lib/other.c", "f", 12}, "{} %s", "Oops: why");
  EXPECT_EQ(kept->lines(), (Lines{"other.c:12 {} %s\nOops: why"}));
}

// ---- The library's own reports

TEST_F(LoggerTest, ReportsOfTheLibraryArriveInTheirLoggers) {
  const auto kept = keep(get_logger("conc"), "%(name)s %(levelname)s %(message)s");
  get_logger("conc.thread").set_level(Level::debug);
  conc::report({.channel = "conc.thread", .severity = Severity::debug, .message = "a thread"});
  conc::report({.channel = "conc.deadlock", .severity = Severity::debug, .message = "not enabled"});
  conc::report({.channel = "conc.future",
                .severity = Severity::error,
                .message = "a callback threw",
                .exception = std::make_exception_ptr(std::runtime_error("why"))});
  EXPECT_EQ(kept->lines(), (Lines{"conc.thread DEBUG a thread",
                                  "conc.future ERROR a callback threw\nstd::runtime_error: why"}));
}

TEST_F(LoggerTest, DeadlocksArrive) {
  const auto kept = keep(get_logger("conc.deadlock"), "%(levelname)s %(threadName)s %(message)s");
  get_logger("conc").set_propagate(false);
  Lock lock("door");
  lock.acquire();
  Thread helper({.name = "helper"}, [&] {
    EXPECT_TRUE(eventually([&] { return !kept->lines().empty(); }));
    lock.release();
  });
  helper.start();
  lock.acquire();
  lock.release();
  helper.join();
  EXPECT_EQ(kept->lines(),
            (Lines{"ERROR MainThread Threads wait for each other: \"MainThread\" (1) "
                   "waits to acquire Lock \"door\" held by \"MainThread\" (1)"}));
}

TEST_F(LoggerTest, WhatEscapesInThreadsCallbacksAndPoolsArrives) {
  const auto kept = keep(get_logger("conc"), "%(name)s %(levelname)s");
  get_logger("conc").set_propagate(false);
  Thread thread({.name = "thrower"}, [] { throw std::runtime_error("thread"); });
  thread.start();
  thread.join();
  Promise<int> promise;
  promise.future().add_done_callback(
      [](const Future<int>&) { throw std::runtime_error("callback"); });
  promise.set_result(1);
  {
    ThreadPoolExecutor pool(1);
    pool.post([] { throw std::runtime_error("posted"); });
  }
  const Lines lines = kept->lines();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(lines[0].starts_with("conc.thread ERROR\nstd::runtime_error: thread")) << lines[0];
  EXPECT_TRUE(lines[1].starts_with("conc.future ERROR\nstd::runtime_error: callback")) << lines[1];
  EXPECT_TRUE(lines[2].starts_with("conc.future ERROR\nstd::runtime_error: posted")) << lines[2];
}

// ---- Threads

TEST_F(LoggerTest, HandlersFiltersAndLevelsMayChangeWhileOthersLog) {
  Logger& logger = get_logger("busy.leaf");
  const auto stays = keep(get_logger("busy"));
  constexpr int per_thread = 500;
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < per_thread; ++i) logger.critical("{}", i);
    });
  }
  threads.emplace_back([&] {
    while (!stop) {
      const auto comes_and_goes = keep(logger);
      const auto filter =
          std::make_shared<logging::Filter>([](const logging::LogRecord&) { return true; });
      logger.add_filter(filter);
      stays->set_formatter(std::make_shared<logging::Formatter>("%(name)s %(message)s"));
      stays->add_filter(filter);
      get_logger("busy").set_level(Level::info);
      logger.set_level(Level::notset);
      get_logger("busy.made." + std::to_string(stays->lines().size() % 16));
      logger.remove_handler(comes_and_goes);
      logger.remove_filter(filter);
      stays->remove_filter(filter);
    }
  });
  for (std::size_t t = 0; t < 3; ++t) threads[t].join();
  stop = true;
  threads.back().join();
  EXPECT_EQ(stays->lines().size(), 3u * per_thread);
  EXPECT_EQ(stays->lost(), 0u);
  EXPECT_EQ(logger.handlers().size(), 0u);
}

}  // namespace
}  // namespace conc::test

// Handlers, formatters and filters that log themselves.

#include <conc/thread_info.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "logging_fixture.hpp"

namespace conc::test {
namespace {

using logging::get_logger;
using logging::Logger;
using logging::LogRecord;

// Does what it is told when it gets a record and when it is flushed.
class Told : public logging::Handler {
 public:
  explicit Told(std::function<void()> act) : act_(std::move(act)) {}

  std::atomic<int> emitted{0};

 private:
  void emit(const LogRecord&, std::string_view) override {
    ++emitted;
    act_();
  }
  void on_flush() override { act_(); }

  std::function<void()> act_;
};

// What a handler complains of while a test runs is part of the game.
class LoggingReentryTest : public LoggingTest {
 protected:
  void SetUp() override {
    LoggingTest::SetUp();
    ::testing::internal::CaptureStderr();
  }
  void TearDown() override {
    if (!report_taken_) take_report();
    LoggingTest::TearDown();
  }
  std::string take_report() {
    report_taken_ = true;
    return ::testing::internal::GetCapturedStderr();
  }

 private:
  bool report_taken_ = false;
};

TEST_F(LoggingReentryTest, WhatAHandlerLogsComesToTheOthersButNotBackToIt) {
  Logger& logger = get_logger("itself");
  const auto told = std::make_shared<Told>([&] { logger.warning("inner"); });
  logger.add_handler(told);
  const auto kept = keep(logger);
  logger.warning("outer");
  EXPECT_EQ(told->emitted, 1);
  EXPECT_EQ(told->lost(), 1u);
  EXPECT_EQ(kept->lines(), (Lines{"inner", "outer"}));
  const std::string report = take_report();
  EXPECT_NE(report.find("a record that it logged itself was lost: inner"), std::string::npos)
      << report;
}

TEST_F(LoggingReentryTest, WhatAFormatterLogsDoesNotComeBackToItsHandler) {
  class Chatty : public logging::Formatter {
    void format(const LogRecord& record, std::string& out) const override {
      get_logger("chatty").warning("formatting {}", record.message);
      logging::Formatter::format(record, out);
    }
  };
  Logger& logger = get_logger("chatty");
  const auto first = keep(logger);
  first->set_formatter(std::make_shared<Chatty>());
  const auto second = keep(logger);
  logger.warning("w");
  EXPECT_EQ(first->lines(), (Lines{"w"}));
  EXPECT_EQ(second->lines(), (Lines{"formatting w", "w"}));
}

TEST_F(LoggingReentryTest, WhatAFilterLogsDoesNotComeBackToWhereTheFilterIs) {
  Logger& logger = get_logger("filtering");
  const auto filter = std::make_shared<logging::Filter>([&](const LogRecord&) {
    logger.warning("inner");
    return true;
  });
  const auto kept = keep(logger);
  logger.add_filter(filter);
  logger.warning("outer");
  logger.remove_filter(filter);
  EXPECT_EQ(kept->lines(), (Lines{"outer"}));

  kept->add_filter(filter);
  logger.warning("again");
  EXPECT_EQ(kept->lines(), (Lines{"outer", "again"}));
}

TEST_F(LoggingReentryTest, HandlersThatLogToEachOtherNeitherLoopNorDeadlock) {
  Logger& a = get_logger("each.a");
  Logger& b = get_logger("each.b");
  a.set_propagate(false);
  b.set_propagate(false);
  const auto at_a = std::make_shared<Told>([&] { b.warning("from a"); });
  const auto at_b = std::make_shared<Told>([&] { a.warning("from b"); });
  a.add_handler(at_a);
  b.add_handler(at_b);
  constexpr int rounds = 300;
  std::thread other([&] {
    for (int i = 0; i < rounds; ++i) b.warning("w");
  });
  for (int i = 0; i < rounds; ++i) a.warning("w");
  other.join();
  // Each gets what is logged to it, and what the other makes of its own.
  EXPECT_EQ(at_a->emitted, 2 * rounds);
  EXPECT_EQ(at_b->emitted, 2 * rounds);
}

// Passes records on to another handler while it holds its own lock.
class Tee : public logging::Handler {
 public:
  explicit Tee(std::shared_ptr<logging::Handler> inner)
      : Handler(Wants::record), inner_(std::move(inner)) {}

  std::atomic<bool> busy{false};

 private:
  void emit(const LogRecord& record, std::string_view) override {
    busy = true;
    inner_->handle(record);
    busy = false;
  }

  const std::shared_ptr<logging::Handler> inner_;
};

TEST_F(LoggingReentryTest, WhatIsLoggedBehindAHandlerThatPassesOnWaitsForBothLocks) {
  Logger& logger = get_logger("tee");
  Logger& other = get_logger("tee.other");
  other.set_propagate(false);
  const auto inner = std::make_shared<Told>([&] { other.warning("from emit"); });
  inner->add_filter(std::make_shared<logging::Filter>([&](const LogRecord&) {
    other.warning("from a filter");
    return true;
  }));
  const auto tee = std::make_shared<Tee>(inner);
  logger.add_handler(tee);
  int too_early = 0;
  const auto last = std::make_shared<Told>([&] { too_early += tee->busy ? 1 : 0; });
  other.add_handler(last);
  const auto kept = keep(other);
  logger.warning("w");
  EXPECT_EQ(too_early, 0);
  EXPECT_EQ(kept->lines(), (Lines{"from a filter", "from emit"}));
}

TEST_F(LoggingReentryTest, WhatIsLoggedBehindAHandlerThatPassesOnDoesNotComeBackThere) {
  Logger& logger = get_logger("tee.back");
  const auto inner = std::make_shared<Told>([&] { logger.warning("inner"); });
  logger.add_handler(std::make_shared<Tee>(inner));
  const auto kept = keep(logger);
  logger.warning("outer");
  EXPECT_EQ(inner->emitted, 1);
  EXPECT_EQ(kept->lines(), (Lines{"inner", "outer"}));

  logger.add_handler(inner);
  logger.warning("again");
  EXPECT_EQ(inner->emitted, 3);
  EXPECT_EQ(inner->lost(), 3u);
}

TEST_F(LoggingReentryTest, RecordThatWaitedForALockIsWhole) {
  Logger& logger = get_logger("waited");
  Logger& deep = get_logger("waited.deep");
  logger.add_handler(std::make_shared<Told>([&] {
    const std::string text = "made in emit, and longer than any small buffer";
    deep.error("{}", text);
  }));
  const auto kept = keep(deep, "%(name)s %(levelname)s %(message)s");
  logger.warning("w");
  EXPECT_EQ(kept->lines(),
            (Lines{"waited.deep ERROR made in emit, and longer than any small buffer"}));
}

TEST_F(LoggingReentryTest, RecordThatWaitedIsHandledEvenIfTheHandlerFails) {
  Logger& logger = get_logger("waited.failing");
  Logger& other = get_logger("waited.other");
  logger.add_handler(std::make_shared<Told>([&] {
    other.warning("before it failed");
    throw std::runtime_error("failed");
  }));
  const auto kept = keep(other);
  logger.warning("w");
  EXPECT_EQ(kept->lines(), (Lines{"before it failed"}));
}

TEST_F(LoggingReentryTest, FlushAndCloseMayLog) {
  Logger& logger = get_logger("flushing");
  const auto told = std::make_shared<Told>([&] { logger.warning("flushing"); });
  logger.add_handler(told);
  const auto kept = keep(logger);
  told->flush();
  told->close();
  EXPECT_EQ(kept->lines(), (Lines{"flushing", "flushing"}));
}

TEST_F(LoggingReentryTest, NameOfTheThreadStaysWholeWhenAHandlerThatGoesLogsUnderANewOne) {
  const std::string before = "a name longer than any small buffer";
  Logger& logger = get_logger("going");
  class Going : public logging::Handler {
   public:
    explicit Going(Logger& from) : from_(from) {}
    ~Going() override { get_logger("gone").warning("gone"); }
    std::weak_ptr<logging::Handler> self;

   private:
    void emit(const LogRecord&, std::string_view) override {
      from_.remove_handler(self.lock());
      set_current_thread_name(std::string(200, 'x'));
    }
    Logger& from_;
  };
  const auto kept = keep(get_logger(), "%(threadName)s");
  get_logger("gone").set_propagate(false);
  {
    const auto going = std::make_shared<Going>(logger);
    going->self = going;
    logger.add_handler(going);
  }
  std::thread([&] {
    set_current_thread_name(before);
    logger.warning("w");
  }).join();
  EXPECT_EQ(kept->lines(), (Lines{before}));
}

TEST_F(LoggingReentryTest, HandlersInACircleAreFlushedAndClosedOnce) {
  const auto a = std::make_shared<logging::MemoryHandler>(10);
  const auto b = std::make_shared<logging::MemoryHandler>(10, a);
  a->set_target(b);
  a->flush();
  b->flush();
  a->close();
  b->close();
  EXPECT_EQ(a->lost() + b->lost(), 0u);
  a->set_target(nullptr);
}

}  // namespace
}  // namespace conc::test

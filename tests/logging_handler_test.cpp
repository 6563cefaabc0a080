#include <conc/logging/handler.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "eventually.hpp"
#include "logging_fixture.hpp"

namespace conc::test {
namespace {

using logging::get_logger;
using logging::Level;
using logging::Logger;
using logging::LogRecord;

class HandlerTest : public LoggingTest {};

const LogRecord some_record{.name = "a.b", .level = Level::info, .message = "hello"};

// Does what it is told in every place where a handler runs code that is not the library's.
class Told : public logging::Handler {
 public:
  std::function<void()> on_emit = [] {};
  std::function<void()> at_flush = [] {};
  std::atomic<int> emitted{0};
  std::atomic<int> closed{0};

 private:
  void emit(const LogRecord&, std::string_view) override {
    ++emitted;
    on_emit();
  }
  void on_flush() override { at_flush(); }
  void on_close() override { ++closed; }
};

class FailingFormatter : public logging::Formatter {
  void format(const LogRecord&, std::string&) const override {
    throw std::runtime_error("formatter failed");
  }
};

TEST_F(HandlerTest, BeginsWithoutLevelFiltersAndFormatter) {
  KeepingHandler handler;
  EXPECT_EQ(handler.level(), Level::notset);
  EXPECT_EQ(handler.formatter(), nullptr);
  EXPECT_TRUE(handler.handle(some_record));
  EXPECT_EQ(handler.lines(), (Lines{"hello"}));
}

TEST_F(HandlerTest, FormatterMakesTheLineUntilItIsTakenAway) {
  KeepingHandler handler;
  const auto formatter = std::make_shared<logging::Formatter>("<%(message)s>");
  handler.set_formatter(formatter);
  EXPECT_EQ(handler.formatter(), formatter);
  handler.handle(some_record);
  handler.set_formatter(nullptr);
  EXPECT_EQ(handler.formatter(), nullptr);
  handler.handle(some_record);
  EXPECT_EQ(handler.lines(), (Lines{"<hello>", "hello"}));
  EXPECT_EQ(formatter.use_count(), 1);
}

TEST_F(HandlerTest, FormatterMayBeWrittenByTheProgram) {
  class Shouting : public logging::Formatter {
    void format(const LogRecord& record, std::string& out) const override {
      logging::Formatter::format(record, out);
      out += '!';
    }
  };
  KeepingHandler handler;
  handler.set_formatter(std::make_shared<Shouting>());
  handler.handle(some_record);
  EXPECT_EQ(handler.lines(), (Lines{"hello!"}));
}

// Short lines are made in place, see LineBuffer; this goes beyond that by and by.
TEST_F(HandlerTest, LinesOfAnyLengthArriveWhole) {
  struct Ended : logging::Handler {
    Ended() : Handler(Wants::line, " the end of the line\n") {}
    void emit(const LogRecord&, std::string_view line) override { last = line; }
    std::string last;
  } handler;
  const std::string literal = " and a literal of more than eight characters ";
  handler.set_formatter(
      std::make_shared<logging::Formatter>("[%(name)s] %(message)s" + literal + "%(levelname)s"));
  for (std::size_t size = 0; size <= 1100; size += size < 400 || size > 540 ? 50 : 1) {
    const std::string message(size, 'm');
    LogRecord record = some_record;
    record.message = message;
    handler.handle(record);
    ASSERT_EQ(handler.last, "[a.b] " + message + literal + "INFO the end of the line\n");
  }
}

TEST_F(HandlerTest, EveryFilterMustLetARecordPass) {
  KeepingHandler handler;
  const auto by_name = std::make_shared<logging::Filter>("a");
  const auto by_level = std::make_shared<logging::Filter>(
      [](const LogRecord& record) { return record.level < Level::error; });
  handler.add_filter(by_name);
  handler.add_filter(by_level);
  handler.add_filter(by_level);
  EXPECT_TRUE(handler.handle(some_record));
  EXPECT_FALSE(handler.handle({.name = "b", .message = "other name"}));
  EXPECT_FALSE(handler.handle({.name = "a", .level = Level::error, .message = "other level"}));
  handler.remove_filter(by_level);
  EXPECT_TRUE(handler.handle({.name = "a", .level = Level::error, .message = "error"}));
  EXPECT_EQ(handler.lines(), (Lines{"hello", "error"}));
  EXPECT_EQ(handler.lost(), 0u);
}

TEST_F(HandlerTest, FilterByNamePassesTheLoggerAndThoseBelow) {
  const logging::Filter filter("a.b");
  EXPECT_TRUE(filter.accepts({.name = "a.b"}));
  EXPECT_TRUE(filter.accepts({.name = "a.b.c"}));
  EXPECT_FALSE(filter.accepts({.name = "a"}));
  EXPECT_FALSE(filter.accepts({.name = "a.bc"}));
  EXPECT_TRUE(logging::Filter("").accepts({.name = "anything"}));
  EXPECT_THROW(logging::Filter{logging::Filter::Predicate()}, std::invalid_argument);
}

TEST_F(HandlerTest, NullIsNoFilter) {
  KeepingHandler handler;
  EXPECT_THROW(handler.add_filter(nullptr), std::invalid_argument);
}

TEST_F(HandlerTest, ErrorStaysInTheHandlerAndOthersStillGetTheRecord) {
  Logger& logger = get_logger("errors");
  const auto failing = std::make_shared<Told>();
  failing->on_emit = [] { throw std::runtime_error("no paper"); };
  logger.add_handler(failing);
  const auto kept = keep(logger);
  ::testing::internal::CaptureStderr();
  logger.warning("one");
  logger.warning("two");
  const std::string report = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(kept->lines(), (Lines{"one", "two"}));
  EXPECT_EQ(failing->lost(), 2u);
  EXPECT_NE(report.find("Told"), std::string::npos) << report;
  EXPECT_NE(report.find("std::runtime_error: no paper"), std::string::npos) << report;
}

TEST_F(HandlerTest, ErrorsAreReportedOnceASecondForEachHandler) {
  Told one, two;
  one.on_emit = two.on_emit = [] { throw std::runtime_error("no paper"); };
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 100; ++i) one.handle(some_record);
  two.handle(some_record);
  const std::string report = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(report.begin(), report.end(), '\n'), 2) << report;
  EXPECT_EQ(one.lost(), 100u);
}

TEST_F(HandlerTest, AllLossesAreSaidInTheEnd) {
  Told handler;
  handler.on_emit = [] { throw std::runtime_error("no paper"); };
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 100; ++i) handler.handle(some_record);
  handler.close();
  handler.close();
  const std::string report = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(report.find(" (1 lost so far)\n"), std::string::npos) << report;
  EXPECT_NE(report.find(": 100 records lost so far\n"), std::string::npos) << report;
  EXPECT_EQ(std::count(report.begin(), report.end(), '\n'), 2) << report;
}

TEST_F(HandlerTest, LossesOfAHandlerThatIsNotClosedAreSaidByItsDestructor) {
  ::testing::internal::CaptureStderr();
  {
    Told handler;
    handler.on_emit = [] { throw std::runtime_error("no paper"); };
    for (int i = 0; i < 100; ++i) handler.handle(some_record);
  }
  { const Told silent; }
  const std::string report = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(report.find(" (1 lost so far)\n"), std::string::npos) << report;
  EXPECT_NE(report.find(": 100 records lost so far\n"), std::string::npos) << report;
  EXPECT_EQ(std::count(report.begin(), report.end(), '\n'), 2) << report;
}

TEST_F(HandlerTest, LossesAreSaidWhenRecordsArriveAgain) {
  Told handler;
  handler.on_emit = [] { throw std::runtime_error("no paper"); };
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 7; ++i) handler.handle(some_record);
  handler.on_emit = [] {};
  // Not before the second is over in which it complained.
  std::string report;
  EXPECT_TRUE(eventually([&] {
    handler.handle(some_record);
    report += ::testing::internal::GetCapturedStderr();
    ::testing::internal::CaptureStderr();
    return report.find(": 7 records lost so far\n") != std::string::npos;
  })) << report;
  handler.close();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_F(HandlerTest, FormatterAndFilterThatThrowCountAsErrorsOfTheHandler) {
  KeepingHandler handler;
  ::testing::internal::CaptureStderr();
  handler.set_formatter(std::make_shared<FailingFormatter>());
  EXPECT_TRUE(handler.handle(some_record));
  handler.set_formatter(nullptr);
  handler.add_filter(std::make_shared<logging::Filter>(
      [](const LogRecord&) -> bool { throw std::runtime_error("filter failed"); }));
  EXPECT_FALSE(handler.handle(some_record));
  const std::string report = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(report.find("formatter failed"), std::string::npos) << report;
  EXPECT_EQ(handler.lost(), 2u);
  EXPECT_EQ(handler.lines(), (Lines{}));
}

TEST_F(HandlerTest, EmitIsRunByOneThreadAtATime) {
  const auto told = std::make_shared<Told>();
  int unguarded = 0;
  told->on_emit = [&] { ++unguarded; };
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) told->handle(some_record);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(unguarded, 2000);
}

// ---- Ends

TEST_F(HandlerTest, ShutdownClosesTheYoungestFirst) {
  std::vector<int> closed;
  struct Noting : logging::Handler {
    Noting(std::vector<int>& where, int number) : where_(where), number_(number) {}
    void emit(const LogRecord&, std::string_view) override {}
    void on_close() override { where_.push_back(number_); }
    std::vector<int>& where_;
    const int number_;
  };
  const auto one = std::make_shared<Noting>(closed, 1);
  const auto two = std::make_shared<Noting>(closed, 2);
  const auto never_added = std::make_shared<Noting>(closed, 3);
  auto gone = std::make_shared<Noting>(closed, 4);
  Logger& logger = get_logger("closing");
  logger.add_handler(gone);
  logger.remove_handler(gone);
  gone.reset();
  logger.add_handler(two);
  logger.add_handler(one);
  get_logger("closing.more").add_handler(one);
  logging::shutdown();
  EXPECT_EQ(closed, (std::vector<int>{2, 1}));
}

TEST_F(HandlerTest, ErrorDuringShutdownIsReportedAndTheOthersAreClosed) {
  const auto older = std::make_shared<Told>();
  const auto failing = std::make_shared<Told>();
  failing->at_flush = [] { throw std::runtime_error("cannot flush"); };
  get_logger("closing").add_handler(older);
  get_logger("closing").add_handler(failing);
  ::testing::internal::CaptureStderr();
  logging::shutdown();
  const std::string report = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(older->closed, 1);
  EXPECT_EQ(failing->closed, 1);
  EXPECT_NE(report.find("cannot flush"), std::string::npos) << report;
}

TEST_F(HandlerTest, ManyHandlersComeAndGoWithoutBeingRemembered) {
  Logger& logger = get_logger("many");
  for (int i = 0; i < 1000; ++i) {
    const auto kept = keep(logger);
    logger.warning("w");
    logger.remove_handler(kept);
    EXPECT_EQ(kept.use_count(), 1);
    EXPECT_EQ(kept->lines().size(), 1u);
  }
}

// ---- Filters that put another record in the place of one

std::shared_ptr<const logging::Filter> replacing(const char* from, const char* to) {
  return std::make_shared<logging::Filter>(
      [from, to](const LogRecord& record) -> std::optional<logging::OwnedRecord> {
        if (record.message == "secret") return std::nullopt;
        LogRecord changed = record;
        std::string text(record.message);
        if (const std::size_t at = text.find(from); at != std::string::npos) {
          text.replace(at, std::string_view(from).size(), to);
        }
        changed.message = text;
        return changed.own();
      });
}

TEST_F(HandlerTest, FilterMayReplaceTheRecordForWhatComesBehindIt) {
  logging::Logger& logger = logging::get_logger("replacing");
  logger.set_propagate(false);
  const auto changed = keep(logger);
  const auto untouched = keep(logger);
  changed->add_filter(replacing("a", "b"));
  changed->add_filter(replacing("b", "c"));
  changed->add_filter(std::make_shared<logging::Filter>(
      [](const LogRecord& record) { return record.message != "c1"; }));
  logger.warning("a0");
  logger.warning("a1");
  logger.warning("secret");
  EXPECT_EQ(changed->lines(), (Lines{"c0"}));
  EXPECT_EQ(untouched->lines(), (Lines{"a0", "a1", "secret"}));
}

TEST_F(HandlerTest, FilterOfALoggerReplacesTheRecordForAllHandlers) {
  logging::Logger& logger = logging::get_logger("replacing.all");
  const auto own = keep(logger, "%(name)s %(message)s");
  const auto above = keep(logging::get_logger());
  const auto filter = replacing("password", "***");
  logger.add_filter(filter);
  logger.warning("the password");
  logger.warning("secret");
  logger.remove_filter(filter);
  logger.warning("the password");
  EXPECT_EQ(own->lines(), (Lines{"replacing.all the ***", "replacing.all the password"}));
  EXPECT_EQ(above->lines(), (Lines{"the ***", "the password"}));
  EXPECT_THROW(logging::Filter{logging::Filter::Replacement{}}, std::invalid_argument);
}

}  // namespace
}  // namespace conc::test

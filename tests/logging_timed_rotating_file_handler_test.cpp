#include <conc/logging/timed_rotating_file_handler.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include <sys/stat.h>
#include <sys/time.h>

#include "logging_files.hpp"

namespace conc::test {
namespace {

using logging::TimedRotatingFileHandler;
using logging::TimedRotatingOptions;
using Names = std::set<std::string>;

// Time is what the records say, in UTC unless a test sets another zone.
class TimedRotatingFileHandlerTest : public LoggingFileTest {
 protected:
  void SetUp() override {
    LoggingFileTest::SetUp();
    set_zone("UTC0");
  }
  void TearDown() override {
    LoggingFileTest::TearDown();
    ::unsetenv("TZ");
    ::tzset();
  }

  static void set_zone(const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
  }

  // "2024-05-31 18:07:59", in UTC.
  static std::time_t seconds(const char* text) {
    std::tm parts{};
    EXPECT_NE(::strptime(text, "%Y-%m-%d %H:%M:%S", &parts), nullptr);
    return ::timegm(&parts);
  }

  static void log(logging::Handler& handler, const char* time, std::string_view message) {
    handler.handle({.level = logging::Level::warning,
                    .message = message,
                    .created = std::chrono::system_clock::from_time_t(seconds(time))});
  }
};

TEST_F(TimedRotatingFileHandlerTest, UnknownPeriodsAndIntervalsAreRefused) {
  for (const char* when : {"", "X", "W", "W7", "WW", "W00", "mid"}) {
    EXPECT_THROW(TimedRotatingFileHandler(file(), {.when = when}), std::invalid_argument) << when;
  }
  EXPECT_THROW(TimedRotatingFileHandler(file(), {.interval = 0}), std::invalid_argument);
  EXPECT_THROW(TimedRotatingFileHandler(file(), {.interval = 100'001}), std::invalid_argument);
  for (const char* when : {"s", "S", "m", "h", "d", "MIDNIGHT", "midnight", "w0", "W6"}) {
    TimedRotatingFileHandler(file(), {.when = when, .delay = true});
  }
  EXPECT_EQ(files(), Names());
}

TEST_F(TimedRotatingFileHandlerTest, NewPeriodHasANewFileAndTheOldOneItsBeginning) {
  struct Case {
    const char* when;
    const char* first;
    const char* last_of_period;
    const char* first_of_next;
    const char* old;
  };
  for (const Case& one : {
           Case{"S", "2024-05-31 18:07:59", "2024-05-31 18:07:59", "2024-05-31 18:08:00",
                "app.log.2024-05-31_18-07-59"},
           Case{"M", "2024-05-31 18:07:59", "2024-05-31 18:08:58", "2024-05-31 18:08:59",
                "app.log.2024-05-31_18-07"},
           Case{"H", "2024-05-31 18:07:59", "2024-05-31 19:07:58", "2024-05-31 19:07:59",
                "app.log.2024-05-31_18"},
           Case{"D", "2024-05-31 18:07:59", "2024-06-01 18:07:58", "2024-06-01 18:07:59",
                "app.log.2024-05-31"},
           Case{"midnight", "2024-02-28 18:07:59", "2024-02-28 23:59:59", "2024-02-29 00:00:00",
                "app.log.2024-02-28"},
           // 2024-05-31 was a Friday.
           Case{"W4", "2024-05-31 18:07:59", "2024-05-31 23:59:59", "2024-06-01 00:00:00",
                "app.log.2024-05-25"},
           Case{"W6", "2024-05-31 18:07:59", "2024-06-02 23:59:59", "2024-06-03 00:00:00",
                "app.log.2024-05-27"},
           Case{"W3", "2024-05-31 18:07:59", "2024-06-06 23:59:59", "2024-06-07 00:00:00",
                "app.log.2024-05-31"},
       }) {
    TimedRotatingFileHandler handler(file(), {.when = one.when, .delay = true, .utc = true});
    log(handler, one.first, "1");
    log(handler, one.last_of_period, "2");
    EXPECT_EQ(files(), (Names{"app.log"})) << one.when;
    log(handler, one.first_of_next, "3");
    EXPECT_EQ(files(), (Names{"app.log", one.old})) << one.when;
    EXPECT_EQ(content(file(one.old)), "1\n2\n");
    EXPECT_EQ(content(file()), "3\n");
    for (const std::string& name : files()) fs::remove(file(name.c_str()));
  }
}

TEST_F(TimedRotatingFileHandlerTest, EachDayOfTheWeekMayBeItsLast) {
  for (int day = 0; day != 7; ++day) {
    // 2024-05-27 was a Monday, so the week that ends with the day `day` began six days before it.
    const std::string when = "W" + std::to_string(day);
    const auto date = [](int of_may) {
      return of_may <= 31 ? "2024-05-" + std::to_string(of_may)
                          : "2024-06-0" + std::to_string(of_may - 31);
    };
    TimedRotatingFileHandler handler(file(), {.when = when, .delay = true, .utc = true});
    log(handler, (date(27 + day) + " 00:00:00").c_str(), "1");
    log(handler, (date(27 + day) + " 23:59:59").c_str(), "2");
    EXPECT_EQ(files(), (Names{"app.log"})) << when;
    log(handler, (date(28 + day) + " 00:00:00").c_str(), "3");
    EXPECT_EQ(files(), (Names{"app.log", "app.log." + date(21 + day)})) << when;
    for (const std::string& name : files()) fs::remove(file(name.c_str()));
  }
}

TEST_F(TimedRotatingFileHandlerTest, IntervalIsSoManyPeriods) {
  for (const char* when : {"D", "midnight"}) {
    TimedRotatingFileHandler handler(file(),
                                     {.when = when, .interval = 3, .delay = true, .utc = true});
    log(handler, "2024-05-30 00:00:00", "1");
    log(handler, "2024-06-01 23:59:59", "2");
    EXPECT_EQ(files(), (Names{"app.log"}));
    log(handler, "2024-06-02 00:00:00", "3");
    EXPECT_EQ(files(), (Names{"app.log", "app.log.2024-05-30"}));
    for (const std::string& name : files()) fs::remove(file(name.c_str()));
  }
}

TEST_F(TimedRotatingFileHandlerTest, OldFilesBeyondTheCountAreDeletedAndOthersLeftAlone) {
  write(file("app.log.2024-01-01.gz"), "of somebody else");
  write(file("app.log.note"), "of somebody else");
  write(file("app.log.1999-12-31"), "of an earlier run");
  TimedRotatingFileHandler handler(
      file(), {.when = "midnight", .backup_count = 2, .delay = true, .utc = true});
  for (const char* day : {"2024-05-01 12:00:00", "2024-05-02 12:00:00", "2024-05-03 12:00:00",
                          "2024-05-04 12:00:00"}) {
    log(handler, day, day);
  }
  EXPECT_EQ(files(), (Names{"app.log", "app.log.2024-05-02", "app.log.2024-05-03",
                            "app.log.2024-01-01.gz", "app.log.note"}));
}

TEST_F(TimedRotatingFileHandlerTest, OldNameThatIsNoFileDoesNotKeepOthersFromDeletion) {
  fs::create_directories(file("app.log.2020-01-01") / "full");
  TimedRotatingFileHandler handler(
      file(), {.when = "midnight", .backup_count = 1, .delay = true, .utc = true});
  for (const char* day : {"2024-05-01 12:00:00", "2024-05-02 12:00:00", "2024-05-03 12:00:00"}) {
    log(handler, day, "m");
  }
  EXPECT_EQ(files(), (Names{"app.log", "app.log.2020-01-01", "app.log.2024-05-02"}));
}

// Else the file's last change would be in the next period, and a restart not roll it over.
TEST_F(TimedRotatingFileHandlerTest, NothingIsHeldBackOverTheEndOfAPeriod) {
  TimedRotatingFileHandler handler(file(), {.when = "midnight", .delay = true, .utc = true});
  const auto info = [&](const char* time, std::string_view message) {
    handler.handle({.level = logging::Level::info,
                    .message = message,
                    .created = std::chrono::system_clock::from_time_t(seconds(time))});
  };
  info("2024-05-01 23:59:58", "at once");
  EXPECT_EQ(content(file()), "at once\n");
}

TEST_F(TimedRotatingFileHandlerTest, FileOfAnEarlierRunBeginsThePeriod) {
  write(file(), "old\n");
  const std::time_t changed = seconds("2024-05-30 12:00:00");
  const timeval times[] = {{changed, 0}, {changed, 0}};
  ASSERT_EQ(::utimes(file().c_str(), times), 0);
  TimedRotatingFileHandler handler(file(), {.when = "midnight", .utc = true});
  log(handler, "2024-05-31 08:00:00", "new");
  EXPECT_EQ(content(file("app.log.2024-05-30")), "old\n");
  EXPECT_EQ(content(file()), "new\n");
}

TEST_F(TimedRotatingFileHandlerTest, MidnightIsLocalUnlessUtcIsAskedFor) {
  set_zone("XYZ-3");  // three hours ahead of UTC
  TimedRotatingFileHandler handler(file(), {.when = "midnight", .delay = true});
  log(handler, "2024-05-30 20:59:59", "1");
  log(handler, "2024-05-30 21:00:00", "2");
  EXPECT_EQ(files(), (Names{"app.log", "app.log.2024-05-30"}));
  EXPECT_EQ(content(file()), "2\n");
}

TEST_F(TimedRotatingFileHandlerTest, DayOfTheChangeToSummerTimeEndsAtItsMidnight) {
  set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
  TimedRotatingFileHandler handler(file(), {.when = "midnight", .delay = true});
  log(handler, "2024-03-30 23:30:00", "1");  // 00:30 on the 31st, which has 23 hours
  log(handler, "2024-03-31 21:59:59", "2");
  EXPECT_EQ(files(), (Names{"app.log"}));
  log(handler, "2024-03-31 22:00:00", "3");
  EXPECT_EQ(files(), (Names{"app.log", "app.log.2024-03-31"}));
}

TEST_F(TimedRotatingFileHandlerTest, NothingIsOverwritten) {
  write(file("app.log.2024-05-30"), "already there\n");
  TimedRotatingFileHandler handler(file(), {.when = "midnight", .delay = true, .utc = true});
  log(handler, "2024-05-30 12:00:00", "1");
  log(handler, "2024-05-31 12:00:00", "2");
  EXPECT_EQ(content(file("app.log.2024-05-30")), "already there\n");
  EXPECT_EQ(content(file()), "1\n2\n");
  log(handler, "2024-06-01 12:00:00", "3");
  EXPECT_EQ(content(file("app.log.2024-05-31")), "1\n2\n");
  EXPECT_EQ(content(file()), "3\n");
}

TEST_F(TimedRotatingFileHandlerTest, WhatIsNotARegularFileIsNeverRolledOver) {
  fs::create_symlink("/dev/null", file());
  TimedRotatingFileHandler handler(file(), {.when = "S", .utc = true});
  log(handler, "2100-01-01 00:00:00", "1");
  log(handler, "2100-01-01 00:00:05", "2");
  EXPECT_EQ(files(), (Names{"app.log"}));
  EXPECT_EQ(handler.lost(), 0u);
}

TEST_F(TimedRotatingFileHandlerTest, FileThatWasDeletedIsMadeAnewByTheNextPeriod) {
  TimedRotatingFileHandler handler(file(), {.when = "H", .delay = true, .utc = true});
  log(handler, "2024-05-31 12:00:00", "1");
  fs::remove(file());
  log(handler, "2024-05-31 13:00:00", "2");
  EXPECT_EQ(content(file()), "2\n");
  log(handler, "2024-05-31 14:00:00", "3");
  EXPECT_EQ(content(file()), "3\n");
  EXPECT_EQ(content(file("app.log.2024-05-31_13")), "2\n");
  EXPECT_EQ(files(), (Names{"app.log", "app.log.2024-05-31_13"}));
}

TEST_F(TimedRotatingFileHandlerTest, RecordsOfThePastStayInTheCurrentFile) {
  TimedRotatingFileHandler handler(file(), {.when = "H", .delay = true, .utc = true});
  log(handler, "2024-05-31 12:00:00", "1");
  log(handler, "2024-05-31 11:59:59", "2");
  EXPECT_EQ(content(file()), "1\n2\n");
}

}  // namespace
}  // namespace conc::test

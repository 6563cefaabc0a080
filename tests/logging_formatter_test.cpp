#include <conc/logging/formatter.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace conc::logging {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

// 2024-05-31 18:07:59.042 in UTC.
const system_clock::time_point some_time{milliseconds(1'717'178'879'042)};

const LogRecord some_record{
    .name = "shop.orders",
    .level = Level::warning,
    .message = "sold out",
    .exception = {},
    .pathname = "/src/shop/orders.test.cpp",
    .func = "sell",
    .lineno = 42,
    .created = some_time,
    .relative_created = std::chrono::microseconds(1'500'250),
    .thread = 7,
    .thread_name = "worker-1",
    .process = 4711,
    .process_name = "MainProcess",
};

std::string format(const Formatter& formatter, const LogRecord& record = some_record) {
  std::string line;
  formatter.format(record, line);
  return line;
}

std::string percent(std::string_view pattern, const LogRecord& record = some_record) {
  return format(Formatter(pattern), record);
}

std::string brace(std::string_view pattern, const LogRecord& record = some_record) {
  return format(Formatter(pattern, {}, Style::brace), record);
}

// What the constructor says of a bad pattern.
std::string refusal(std::string_view pattern, Style style) {
  try {
    const Formatter formatter(pattern, {}, style);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "(accepted)";
}

// Local time is UTC during a test.
class FormatterTest : public ::testing::Test {
 protected:
  void SetUp() override { set_time_zone("UTC0"); }
  void TearDown() override { set_time_zone("UTC0"); }

  static void set_time_zone(const char* name) {
    ::setenv("TZ", name, 1);
    ::tzset();
  }
};

TEST_F(FormatterTest, WithoutPatternMakesTheBareMessage) {
  EXPECT_EQ(format(Formatter()), "sold out");
  EXPECT_EQ(format(Formatter({}, {}, Style::brace)), "sold out");
}

TEST_F(FormatterTest, KnowsPythonsFields) {
  EXPECT_EQ(percent("%(name)s %(levelno)s %(levelname)s"), "shop.orders 30 WARNING");
  EXPECT_EQ(percent("%(pathname)s %(filename)s %(module)s"),
            "/src/shop/orders.test.cpp orders.test.cpp orders.test");
  EXPECT_EQ(percent("%(lineno)d %(funcName)s"), "42 sell");
  EXPECT_EQ(percent("%(thread)d %(threadName)s %(process)d %(processName)s"),
            "7 worker-1 4711 MainProcess");
  EXPECT_EQ(percent("%(created)f %(msecs)d %(relativeCreated)d"), "1717178879.042000 42 1500");
  EXPECT_EQ(percent("%(asctime)s %(message)s"), "2024-05-31 18:07:59,042 sold out");
}

TEST_F(FormatterTest, BraceStyleKnowsTheSameFields) {
  EXPECT_EQ(brace("{name} {levelno} {levelname}"), "shop.orders 30 WARNING");
  EXPECT_EQ(brace("{pathname} {filename} {module}"),
            "/src/shop/orders.test.cpp orders.test.cpp orders.test");
  EXPECT_EQ(brace("{lineno} {funcName}"), "42 sell");
  EXPECT_EQ(brace("{thread} {threadName} {process} {processName}"), "7 worker-1 4711 MainProcess");
  EXPECT_EQ(brace("{created:.3f} {msecs} {relativeCreated}"), "1717178879.042 42 1500.25");
  EXPECT_EQ(brace("{asctime} {message}"), "2024-05-31 18:07:59,042 sold out");
}

TEST_F(FormatterTest, PercentStylePadsTextToTheRightUnlessAMinusSaysOtherwise) {
  EXPECT_EQ(percent("%(threadName)-10s|"), "worker-1  |");
  EXPECT_EQ(percent("%(threadName)10s|"), "  worker-1|");
  EXPECT_EQ(percent("%(levelname)8s"), " WARNING");
  EXPECT_EQ(percent("%(levelname).4s"), "WARN");
  EXPECT_EQ(percent("%(levelname)-6.4s|"), "WARN  |");
  EXPECT_EQ(percent("%(asctime)25s"), "  2024-05-31 18:07:59,042");
}

TEST_F(FormatterTest, PercentStyleFormatsNumbersAsCDoes) {
  EXPECT_EQ(percent("%(lineno)4d|%(lineno)-4d|%(lineno)04d"), "  42|42  |0042");
  EXPECT_EQ(percent("%(lineno)+d|%(lineno) d|%(lineno)i|%(lineno)u"), "+42| 42|42|42");
  EXPECT_EQ(percent("%(lineno)x|%(lineno)#X|%(lineno)o"), "2a|0X2A|52");
  EXPECT_EQ(percent("%(lineno).1f|%(created)d|%(msecs)03d"), "42.0|1717178879|042");
  EXPECT_EQ(percent("%(lineno)5s|%(lineno)-5s|"), "   42|42   |");
}

TEST_F(FormatterTest, BraceStyleTakesSpecificationsOfFmt) {
  EXPECT_EQ(brace("{levelname:<8}|{levelname:>8}|{levelname:^9}|{levelname:8}|"),
            "WARNING | WARNING| WARNING |WARNING |");
  EXPECT_EQ(brace("{levelname:*^9s}|{levelname:.4}|{levelname:->6.4}"), "*WARNING*|WARN|--WARN");
  EXPECT_EQ(brace("{lineno:4}|{lineno:<4}|{lineno:04}|{lineno:#x}|{lineno:.1f}"),
            "  42|42  |0042|0x2a|42.0");
}

TEST_F(FormatterTest, SpecificationMayEndWithASignOrAnAlignmentAsInPython) {
  EXPECT_EQ(brace("{lineno:+}|{lineno:-}|{lineno: }|{lineno:#}|{lineno:+#}"), "+42|42| 42|42|+42");
  EXPECT_EQ(brace("{lineno:<}|{lineno:>}|{lineno:^}|{lineno:*<}|{lineno:x>+}"), "42|42|42|42|+42");
  EXPECT_EQ(brace("{relativeCreated:+}|{relativeCreated:<}"), "+1500.25|1500.25");
}

TEST_F(FormatterTest, PrecisionOfAnIntegerIsItsLeastNumberOfDigitsAsInPython) {
  EXPECT_EQ(percent("%(lineno).3d|%(lineno).1d|%(lineno).d|%(lineno)0.5d"), "042|42|42|00042");
  EXPECT_EQ(percent("%(lineno)+.3d|%(lineno) .3d|%(lineno)-.3d|"), "+042| 042|042|");
  EXPECT_EQ(percent("%(lineno)05.3d|%(lineno)+05.3d|%(lineno)3.3d"), "00042|+0042|042");
  EXPECT_EQ(percent("%(lineno).3x|%(lineno)#.3x|%(lineno).3X"), "02a|0x02a|02A");
  EXPECT_EQ(percent("%(lineno).3o|%(lineno)#.3o|%(lineno).4f"), "052|052|42.0000");
  EXPECT_EQ(percent("%(lineno)4.1d|%(lineno)4.0d|%(lineno)-4.d|"), "  42|  42|42  |");
}

TEST_F(FormatterTest, WidthCountsCharactersNotBytes) {
  LogRecord record = some_record;
  record.message = "größe";
  EXPECT_EQ(percent("%(message)7s|%(message)-7s|%(message).4s", record), "  größe|größe  |größ");
  EXPECT_EQ(brace("{message:→^9}", record), "→→größe→→");
}

TEST_F(FormatterTest, MarkWrittenTwiceStandsForItself) {
  EXPECT_EQ(percent("100%% {of} %(message)s%%"), "100% {of} sold out%");
  EXPECT_EQ(brace("{{100%}} {message}{{}}"), "{100%} sold out{}");
}

TEST_F(FormatterTest, TextOfARecordIsNotAPattern) {
  LogRecord record = some_record;
  record.message = "%(name)s {name} %";
  EXPECT_EQ(percent("%(message)s", record), "%(name)s {name} %");
  EXPECT_EQ(brace("{message}", record), "%(name)s {name} %");
}

TEST_F(FormatterTest, ExceptionFollowsOnALineOfItsOwn) {
  LogRecord record = some_record;
  record.exception = "std::runtime_error: why";
  EXPECT_EQ(percent("%(message)s!", record), "sold out!\nstd::runtime_error: why");
  record.message = "";
  EXPECT_EQ(percent("%(message)s", record), "std::runtime_error: why");
}

TEST_F(FormatterTest, LineIsAppended) {
  std::string line = "> ";
  Formatter("%(name)s").format(some_record, line);
  EXPECT_EQ(line, "> shop.orders");
}

TEST_F(FormatterTest, DateFormatThatMakesMoreThanAMebibyteIsRefused) {
  try {
    const Formatter formatter("%(asctime)s", "%9999999d");
    ADD_FAILURE();
  } catch (const std::invalid_argument& refused) {
    EXPECT_NE(std::string_view(refused.what()).find("%9999999d"), std::string_view::npos);
  }
  const Formatter long_one("%(asctime)s", "%99999d");
  EXPECT_EQ(format(long_one, {}).size(), 99'999U);
}

// Text of every length around what is gathered before it goes into the line, with and without more
// behind it.
TEST_F(FormatterTest, LinesOfEveryLengthAreWhole) {
  const Formatter formatter("%(message)s and thus%(name)s%(threadName)s <");
  for (std::size_t length = 0; length < 1100; ++length) {
    const std::string message(length, 'm');
    for (const std::size_t rest : {std::size_t{0}, std::size_t{3}, std::size_t{600}}) {
      const std::string name(rest, 'n');
      const LogRecord record{.name = name, .message = message, .thread_name = "t"};
      ASSERT_EQ(format(formatter, record), message + " and thus" + name + "t <") << length;
    }
  }
  // As much literal text as is copied at once.
  const Formatter close("%(message)s12345678%(name)s");
  for (std::size_t length = 480; length < 540; ++length) {
    const std::string message(length, 'm');
    const std::string name(600, 'n');
    const LogRecord record{.name = name, .message = message};
    ASSERT_EQ(format(close, record), message + "12345678" + name) << length;
  }
}

TEST_F(FormatterTest, BadPatternIsRefusedByNameAndPosition) {
  struct Case {
    Style style;
    std::string_view pattern;
    std::string_view says;
  };
  const Case cases[] = {
      {Style::percent, "%(name)s %(nme)s", "position 9, field \"nme\": there is no such field"},
      {Style::percent, "%(name", "field \"name\": the field has no end"},
      {Style::percent, "%(name)", "field \"name\": the conversion is missing"},
      {Style::percent, "%(name)d", "field \"name\": text takes the conversion \"s\" alone"},
      {Style::percent, "%(name)5%", "field \"name\": text takes the conversion \"s\" alone"},
      {Style::percent, "%(lineno)q", "field \"lineno\": the conversion does not suit a number"},
      {Style::percent, "%(lineno)5.2d", "field \"lineno\": "},
      {Style::percent, "%(lineno)*d", "field \"lineno\": the conversion does not suit a number"},
      {Style::percent, "%(name)4097s", "field \"name\": a width or precision is above 4096"},
      {Style::percent, "%(lineno)99999999999999999999d", "a width or precision is above 4096"},
      {Style::percent, "%(name)s 100%", "position 12: \"%\" begins no field"},
      {Style::percent, "%(name)s %s", "position 9: \"%\" begins no field"},
      {Style::percent, "no field", "has no field"},
      {Style::percent, "{message}", "has no field; is it meant for the other style?"},
      {Style::brace, "%(message)s", "has no field; is it meant for the other style?"},
      {Style::brace, "{name} {nme}", "position 7, field \"nme\": there is no such field"},
      {Style::brace, "{}", "position 0, field \"\": there is no such field"},
      {Style::brace, "{0}", "position 0, field \"0\": there is no such field"},
      {Style::brace, "{name", "field \"name\": the field has no end"},
      {Style::brace, "{name:", "field \"name\": only"},
      {Style::brace, "{name!r}", "field \"name\": only"},
      {Style::brace, "{name:{width}}", "field \"name\": only"},
      {Style::brace, "{name:d}", "field \"name\": the specification does not suit text"},
      {Style::brace, "{name:05}", "field \"name\": the specification does not suit text"},
      {Style::brace, "{name:.}", "field \"name\": the specification does not suit text"},
      {Style::brace, "{name:<<<}", "field \"name\": the specification does not suit text"},
      {Style::brace, "{lineno:s}", "field \"lineno\": the conversion does not suit a number"},
      {Style::brace, "{lineno:.2}", "field \"lineno\": "},
      {Style::brace, "{lineno:<L}", "field \"lineno\": the conversion does not suit a number"},
      {Style::brace, "{lineno:,}", "field \"lineno\": "},
      {Style::brace, "{lineno:>4097}", "field \"lineno\": a width or precision is above 4096"},
      {Style::brace, "{name} }", "position 7: \"}\" ends no field"},
  };
  for (const Case& one : cases) {
    const std::string said = refusal(one.pattern, one.style);
    EXPECT_NE(said.find(one.says), std::string::npos) << one.pattern << " -> " << said;
    EXPECT_NE(said.find(one.pattern), std::string::npos) << said;
  }
}

TEST_F(FormatterTest, DatefmtIsForStrftime) {
  EXPECT_EQ(format(Formatter("%(asctime)s", "%F %T")), "2024-05-31 18:07:59");
  EXPECT_EQ(format(Formatter("%(asctime)s", "%H:%M")), "18:07");
  EXPECT_EQ(format(Formatter("[%(asctime)s]", "%%")), "[%]");
  EXPECT_EQ(format(Formatter("[%(asctime)-8s]", "%H:%M")), "[18:07   ]");
}

TEST_F(FormatterTest, DatefmtMayMakeLongText) {
  const std::string half(500, 'x');
  EXPECT_EQ(format(Formatter("%(asctime)s", half + "%Y" + half)), half + "2024" + half);
}

TEST_F(FormatterTest, DatefmtWithANullCharacterIsRefused) {
  EXPECT_THROW(Formatter("%(asctime)s", std::string_view("%F\0%T", 5)), std::invalid_argument);
}

TEST_F(FormatterTest, TimesAreLocal) {
  set_time_zone("EST5");
  EXPECT_EQ(format(Formatter("%(asctime)s", "%F %T in New York")),
            "2024-05-31 13:07:59 in New York");
}

TEST_F(FormatterTest, EachSecondIsShownAfresh) {
  const Formatter standard("%(asctime)s");
  const Formatter one("%(asctime)s", "%S");
  const Formatter other("%(asctime)s", "%M:%S");
  LogRecord record = some_record;
  for (int second = 0; second < 60; ++second) {
    record.created = some_time + seconds(second) - seconds(59);
    const std::string text = (second < 10 ? "0" : "") + std::to_string(second);
    EXPECT_EQ(format(one, record), text);
    EXPECT_EQ(format(other, record), "07:" + text);
    EXPECT_EQ(format(standard, record), "2024-05-31 18:07:" + text + ",042");
  }
}

TEST_F(FormatterTest, ManyFormatsAtOnceDoNotMixTheirDates) {
  std::vector<std::unique_ptr<Formatter>> formatters;
  for (int i = 0; i < 20; ++i) {
    formatters.push_back(std::make_unique<Formatter>("%(asctime)s", std::to_string(i) + " %S"));
  }
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < formatters.size(); ++i) {
      EXPECT_EQ(format(*formatters[i]), std::to_string(i) + " 59");
    }
  }
}

TEST_F(FormatterTest, EachTimeHasItsOwnMillisecondsInWhateverOrderTheyCome) {
  const Formatter formatter("%(asctime)s");
  const Formatter short_one("%(asctime)s", "%S");
  LogRecord record = some_record;
  const auto second = std::chrono::floor<std::chrono::seconds>(some_time);
  for (const int us : {0, 999, 1'000, 1'999, 42'000, 999'999, 42'999, 41'999, 1'000'000, 999'999, 0,
                       2'000'500, 2'000'000, 1'999'999, -1, 0, 500}) {
    record.created = second + std::chrono::microseconds(us);
    const int ms = (us + 1'000'000) / 1'000 % 1'000;
    const int s = 59 + (us + 1'000'000) / 1'000'000 - 1;
    const std::string minute = s < 60 ? "07:" : "08:";
    const std::string two = std::to_string(100 + s % 60).substr(1);
    EXPECT_EQ(format(formatter, record),
              "2024-05-31 18:" + minute + two + "," + std::to_string(1'000 + ms).substr(1))
        << us;
    EXPECT_EQ(format(short_one, record), two) << us;
  }
}

TEST_F(FormatterTest, TimesBefore1970AreShownToo) {
  LogRecord record = some_record;
  record.created = system_clock::time_point(milliseconds(-1));
  EXPECT_EQ(percent("%(asctime)s %(msecs)d", record), "1969-12-31 23:59:59,999 999");
  using Time = std::chrono::system_clock::time_point;
  for (int i = 0; i < 2; ++i) {
    record.created = Time::min();
    EXPECT_EQ(percent("%(asctime)s", record), "1677-09-21 00:12:43,145");
    EXPECT_EQ(percent("%(asctime)s", record), "1677-09-21 00:12:43,145");
    record.created = Time::max();
    EXPECT_EQ(percent("%(asctime)s", record), "2262-04-11 23:47:16,854");
    EXPECT_EQ(percent("%(asctime)s", record), "2262-04-11 23:47:16,854");
  }
}

TEST_F(FormatterTest, EveryTimeThatAClockCanTellIsShown) {
  const Formatter formatter("%(asctime)s %(created).0f %(msecs)03d");
  EXPECT_EQ(format(formatter, {.created = system_clock::time_point::min()}),
            "1677-09-21 00:12:43,145 -9223372037 145");
  EXPECT_EQ(format(formatter, {.created = system_clock::time_point::max()}),
            "2262-04-11 23:47:16,854 9223372037 854");
}

TEST_F(FormatterTest, IsSharedByThreads) {
  const Formatter formatter("%(asctime)s %(threadName)-10s|%(lineno)05d");
  const std::string expected = format(formatter);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) EXPECT_EQ(format(formatter), expected);
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST_F(FormatterTest, BytesThatAreNotUtf8DoNoHarm) {
  LogRecord record = some_record;
  const std::string bytes("\xff\x80\xc3\0\x80\xf0", 6);
  record.message = bytes;
  EXPECT_EQ(percent("%(message)s", record), bytes);
  EXPECT_EQ(percent("%(message)6s", record), "  " + bytes);
  EXPECT_EQ(percent("%(message).1s", record), bytes.substr(0, 2));
}

}  // namespace
}  // namespace conc::logging

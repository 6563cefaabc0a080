#include <conc/logging/json_formatter.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

#include "json_check.hpp"
#include "logging_fixture.hpp"

namespace conc::test {
namespace {

using logging::Field;
using logging::JsonFormatter;
using logging::LogRecord;

std::string json(const LogRecord& record) {
  std::string line;
  JsonFormatter().format(record, line);
  return line;
}

// What the line says the message is.
std::string message_of(std::string_view message) {
  const std::string line = json({.message = message});
  EXPECT_TRUE(JsonReader::valid(line)) << line;
  EXPECT_EQ(line.find('\n'), std::string::npos);
  return JsonReader::string_member(line, "message").value_or("no message");
}

TEST(JsonFormatter, EveryTimeThatAClockCanTellIsShown) {
  using Time = std::chrono::system_clock::time_point;
  const auto time = [](Time created) {
    return JsonReader::string_member(json({.created = created}), "time");
  };
  EXPECT_EQ(time(Time::min()), "1677-09-21T00:12:43.145224Z");
  EXPECT_EQ(time(Time::max()), "2262-04-11T23:47:16.854775Z");
}

TEST(JsonFormatter, WritesWhatIsKnownAndNothingElse) {
  using namespace std::chrono_literals;
  const auto time = std::chrono::system_clock::from_time_t(1717178879) + 42137us;
  const Field fields[] = {{"bytes", std::int64_t{1200}}, {"to", "a.example"}};
  const Field context[] = {{"request", std::uint64_t{7}}};
  EXPECT_EQ(json({.name = "shop",
                  .level = logging::Level::info,
                  .message = "sent 3 files",
                  .exception = "std::runtime_error: no",
                  .pathname = "/src/shop.cpp",
                  .func = "send",
                  .lineno = 12,
                  .created = time,
                  .thread = 1,
                  .thread_name = "MainThread",
                  .process = 4711,
                  .fields = fields,
                  .context = context}),
            R"({"time":"2024-05-31T18:07:59.042137Z","level":"INFO","logger":"shop",)"
            R"("message":"sent 3 files","file":"shop.cpp","line":12,"function":"send",)"
            R"("thread":"MainThread","threadId":1,"process":4711,)"
            R"("exception":"std::runtime_error: no","context":{"request":7},)"
            R"("fields":{"bytes":1200,"to":"a.example"}})");
  EXPECT_EQ(json({}),
            R"({"time":"1970-01-01T00:00:00.000000Z","level":"NOTSET","logger":"","message":"",)"
            R"("thread":"","threadId":0,"process":0})");
}

TEST(JsonFormatter, TimesBeforeTheEpochAreTimes) {
  using namespace std::chrono_literals;
  const std::string line = json({.created = std::chrono::system_clock::from_time_t(0) - 1us});
  EXPECT_EQ(JsonReader::string_member(line, "time"), "1969-12-31T23:59:59.999999Z");
}

TEST(JsonFormatter, TextComesBackAsItWas) {
  for (const std::string_view text :
       {"plain", "\"quoted\" and \\backslash\\", "line\nline\r\n\ttab",
        "na\xC3\xAFve \xE2\x82\xAC "
        "\xF0\x9F\x98\x80",
        "\xED\x9F\xBF \xEE\x80\x80 \xF4\x8F\xBF\xBF \xC2\xA0"}) {
    EXPECT_EQ(message_of(text), text);
  }
  std::string all;
  for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
  EXPECT_EQ(message_of(all), all);
}

TEST(JsonFormatter, WhatIsNotUtf8IsReplaced) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(message_of("a\x80z"), "a" + r + "z");
  EXPECT_EQ(message_of("\xFF\xFE"), r + r);
  EXPECT_EQ(message_of("\xC0\xAF"), r + r);                  // overlong
  EXPECT_EQ(message_of("\xE0\x80\xAF"), r + r + r);          // overlong
  EXPECT_EQ(message_of("\xF0\x80\x80\xAF"), r + r + r + r);  // overlong
  EXPECT_EQ(message_of("\xED\xA0\x80"), r + r + r);          // a surrogate
  EXPECT_EQ(message_of("\xF4\x90\x80\x80"), r + r + r + r);  // above U+10FFFF
  EXPECT_EQ(message_of("cut \xE2\x82"), "cut " + r + r);
  EXPECT_EQ(message_of("cut \xF0"), "cut " + r);
}

TEST(JsonFormatter, TerminalsAndLineReadersSeeNothingToObey) {
  const std::string line = json({.message = "\x1b[31m \x7f \xC2\x9B \xE2\x80\xA8 \xE2\x80\xA9 \b"});
  EXPECT_NE(line.find(R"(\u001b[31m \u007f \u009b \u2028 \u2029 \u0008)"), std::string::npos)
      << line;
  for (const char c : line) EXPECT_TRUE(' ' <= c && c <= '~');
}

TEST(JsonFormatter, EveryTextOfTheRecordIsEscaped) {
  const std::string bad = "\"\n\xFF";
  const Field fields[] = {{bad, std::string_view(bad)}};
  const std::string line = json({.name = bad,
                                 .message = bad,
                                 .exception = bad,
                                 .pathname = bad,
                                 .func = bad,
                                 .thread_name = bad,
                                 .process_name = bad,
                                 .fields = fields,
                                 .context = fields});
  EXPECT_TRUE(JsonReader::valid(line)) << line;
}

TEST(JsonFormatter, NumbersOfFieldsAreExactAndOthersText) {
  const Field fields[] = {{"least", std::numeric_limits<std::int64_t>::min()},
                          {"most", std::numeric_limits<std::uint64_t>::max()},
                          {"tenth", 0.1},
                          {"huge", 1e300},
                          {"infinite", -std::numeric_limits<double>::infinity()},
                          {"yes", true}};
  const std::string line = json({.fields = fields});
  EXPECT_TRUE(JsonReader::valid(line)) << line;
  EXPECT_NE(line.find(R"({"least":-9223372036854775808,"most":18446744073709551615,"tenth":0.1,)"
                      R"("huge":1e+300,"infinite":"-inf","yes":true})"),
            std::string::npos)
      << line;
}

TEST(JsonFormatter, OfSeveralFieldsOfOneNameTheLastOneCounts) {
  const Field fields[] = {{"a", std::int64_t{1}}, {"b", std::int64_t{2}}, {"a", std::int64_t{3}}};
  EXPECT_NE(json({.fields = fields}).find(R"("fields":{"b":2,"a":3})"), std::string::npos);
}

TEST(JsonFormatter, TenMebibytesAreOneLine) {
  std::string text;
  while (text.size() < (10u << 20)) text += "line\n\x1b\xFF\"";
  const std::string line = json({.message = text});
  EXPECT_TRUE(JsonReader::valid(line));
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(JsonFormatter, RandomBytesAreAlwaysValidJson) {
  std::minstd_rand dice(7);
  for (int round = 0; round < 5000; ++round) {
    std::string bytes(dice() % 24, '\0');
    // Leads and continuations more often than chance would have them.
    for (char& c : bytes)
      c = static_cast<char>(dice() % 2 != 0 ? 0x80 + dice() % 128 : dice() % 256);
    const Field fields[] = {{bytes, std::string_view(bytes)}};
    const std::string line = json({.message = bytes, .fields = fields});
    ASSERT_TRUE(JsonReader::valid(line)) << line;
  }
}

}  // namespace
}  // namespace conc::test

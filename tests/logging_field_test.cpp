#include <conc/logging/field.hpp>
#include <conc/logging/formatter.hpp>
#include <conc/logging/json_formatter.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/chrono.h>

#include "logging_fixture.hpp"

namespace conc::test {
namespace {

using logging::Controls;
using logging::field;
using logging::Field;
using logging::Formatter;
using logging::get_logger;
using logging::Level;
using logging::Logger;
using logging::LogRecord;
using logging::Style;

class FieldTest : public LoggingTest {
 protected:
  Logger& logger = get_logger("fields");
};

std::string formatted(const LogRecord& record, const char* pattern,
                      Controls controls = Controls::keep) {
  std::string line;
  Formatter(pattern, {}, Style::percent, controls).format(record, line);
  return line;
}

TEST_F(FieldTest, ReachTheHandlersBesideTheMessage) {
  const auto kept = keep(logger, "%(message)s|%(fields)s");
  const std::string host = "a.example";
  logger.warning("sent {} of {}", 3, 4, field("bytes", 1200), field("to", host));
  logger.warning("no arguments", field("ok", true));
  logger.warning("no fields {}", 1);
  EXPECT_EQ(kept->lines(),
            (Lines{"sent 3 of 4|bytes=1200 to=a.example", "no arguments|ok=true", "no fields 1|"}));
}

TEST_F(FieldTest, NullPointersAreWrittenAsTheMessageHasThem) {
  const auto kept = keep(logger, "%(message)s|%(fields)s");
  const char* const none = nullptr;
  logger.warning("{}", nullptr, field("p", nullptr), field("s", none));
  const logging::FieldItem item("p", nullptr);
  EXPECT_EQ(std::get<std::string_view>(item.get().value), "0x0");
  EXPECT_EQ(kept->lines(), (Lines{"0x0|p=0x0 s=(null)"}));
}

TEST_F(FieldTest, RealNumbersAreWrittenAsTheMessageHasThem) {
  const auto kept = keep(logger, "%(message)s|%(fields)s|%(created)s");
  for (const double number : {500000.0, 1e15, 1e22, 0.1, -2.0, 1e-7}) {
    logger.handle(
        {.name = "fields",
         .level = Level::warning,
         .message = fmt::format("x={}", number),
         .created = std::chrono::system_clock::time_point(std::chrono::seconds(1700000000)),
         .fields = std::vector{Field{"x", number}}});
    const std::string text = fmt::format("x={}", number);
    EXPECT_EQ(kept->lines().back(), text + "|" + text + "|1700000000");
  }
  logger.warning("m", field("x", 2.5L));
  EXPECT_NE(kept->lines().back().find("|x=2.5|"), std::string::npos);
  std::string json;
  logging::JsonFormatter().format({.fields = std::vector{Field{"x", 500000.0}}}, json);
  EXPECT_NE(json.find("\"x\":500000}"), std::string::npos) << json;
}

TEST_F(FieldTest, EveryCallTakesThem) {
  logger.set_level(Level::debug);
  const auto kept = keep(logger, "%(levelname)s %(fields)s");
  logger.debug("m", field("n", 1));
  logger.info("m", field("n", 2));
  logger.warning("m", field("n", 3));
  logger.error("m", field("n", 4));
  logger.critical("m", field("n", 5));
  logger.log(Level::info, "m", field("n", 6));
  try {
    throw 1;
  } catch (int) {
    logger.exception("m {}", 1, field("n", 7));
  }
  const Lines lines = kept->lines();
  ASSERT_EQ(lines.size(), 7u);
  EXPECT_EQ(lines[0], "DEBUG n=1");
  EXPECT_EQ(lines[4], "CRITICAL n=5");
  EXPECT_EQ(lines[5], "INFO n=6");
  EXPECT_EQ(lines[6], "ERROR n=7\nint");
}

TEST_F(FieldTest, ValuesKeepTheirKind) {
  const auto kept = keep(logger);
  enum class Colour : std::uint8_t { red };
  const char* const none = nullptr;
  logger.warning("m", field("int", -1), field("size", std::size_t{2}), field("float", 0.5F),
                 field("bool", false), field("literal", "text"), field("char", 'c'),
                 field("null", none), field("seconds", std::chrono::seconds(3)));
  const auto records = kept->take_records();
  ASSERT_EQ(records.size(), 1u);
  const auto fields = records[0].record().fields;
  ASSERT_EQ(fields.size(), 8u);
  EXPECT_EQ(std::get<std::int64_t>(fields[0].value), -1);
  EXPECT_EQ(std::get<std::uint64_t>(fields[1].value), 2u);
  EXPECT_EQ(std::get<double>(fields[2].value), 0.5);
  EXPECT_EQ(std::get<bool>(fields[3].value), false);
  EXPECT_EQ(std::get<std::string_view>(fields[4].value), "text");
  EXPECT_EQ(std::get<std::string_view>(fields[5].value), "c");
  EXPECT_EQ(std::get<std::string_view>(fields[6].value), "(null)");
  EXPECT_EQ(std::get<std::string_view>(fields[7].value), "3s");
}

TEST_F(FieldTest, AFloatIsTheNumberThatItIsWrittenAs) {
  using Limits = std::numeric_limits<float>;
  const auto text = keep(logger, "%(fields)s");
  const auto json = keep(logger);
  json->set_formatter(std::make_shared<logging::JsonFormatter>());
  logger.warning("m", field("tenth", 0.1F), field("third", -1.0F / 3), field("most", Limits::max()),
                 field("least", Limits::denorm_min()), field("zero", -0.0F),
                 field("infinite", -Limits::infinity()), field("none", Limits::quiet_NaN()));
  EXPECT_EQ(text->lines(), (Lines{"tenth=0.1 third=-0.33333334 most=3.4028235e+38 least=1e-45 "
                                  "zero=-0 infinite=-inf none=nan"}));
  ASSERT_EQ(json->lines().size(), 1u);
  EXPECT_NE(json->lines()[0].find(R"({"tenth":0.1,"third":-0.33333334,"most":3.4028235e+38,)"
                                  R"("least":1e-45,"zero":-0,"infinite":"-inf","none":"nan"})"),
            std::string::npos)
      << json->lines()[0];
}

// Counts how often it is formatted.
struct Costly {
  static inline int formatted = 0;
};

}  // namespace
}  // namespace conc::test

template <>
struct fmt::formatter<conc::test::Costly> {
  constexpr auto parse(format_parse_context& context) { return context.begin(); }
  template <class Context>
  auto format(const conc::test::Costly&, Context& context) const {
    ++conc::test::Costly::formatted;
    return fmt::format_to(context.out(), "costly");
  }
};

namespace conc::test {
namespace {

TEST_F(FieldTest, AreMadeOnlyWhenTheLevelIsEnabled) {
  const auto kept = keep(logger, "%(fields)s");
  Costly::formatted = 0;
  logger.debug("m", field("what", Costly()));
  EXPECT_EQ(Costly::formatted, 0);
  logger.warning("m", field("what", Costly()));
  EXPECT_EQ(Costly::formatted, 1);
  EXPECT_EQ(kept->lines(), (Lines{"what=costly"}));
}

TEST_F(FieldTest, OwnedRecordHasItsOwn) {
  std::vector<logging::OwnedRecord> owned;
  {
    const std::string name = "a name that is gone when the record is looked at";
    const std::string text = "a text that is gone when the record is looked at";
    const Field fields[] = {{"n", std::int64_t{1}}, {name, std::string_view(text)}};
    const Field context[] = {{"request", std::string_view(text)}};
    owned.push_back(LogRecord{.message = "m", .fields = fields, .context = context}.own());
  }
  const logging::OwnedRecord moved = std::move(owned.front());
  EXPECT_EQ(formatted(moved.record(), "%(message)s %(fields)s %(context)s"),
            "m n=1 \"a name that is gone when the record is looked at\"="
            "\"a text that is gone when the record is looked at\" "
            "request=\"a text that is gone when the record is looked at\"");
}

TEST_F(FieldTest, TextOfMoreThanOneWordIsQuotedOnOneLine) {
  const Field fields[] = {{"empty", ""},        {"two", "a b"},           {"equals", "a=b"},
                          {"quote", "a\"b"},    {"lines", "a\nb=1"},      {"escape", "\x1b[2J"},
                          {"back", "C:\\path"}, {"plain", "na\xC3\xAFve"}};
  EXPECT_EQ(formatted({.fields = fields}, "%(fields)s"),
            R"(empty="" two="a b" equals="a=b" quote="a\"b" lines="a\nb=1" escape="\u001b[2J" )"
            R"(back="C:\\path" plain=)"
            "na\xC3\xAFve");
}

TEST_F(FieldTest, BraceStyleHasThemToo) {
  const Field fields[] = {{"n", std::int64_t{1}}};
  std::string line;
  Formatter("{fields:>6}|{context}", {}, Style::brace).format({.fields = fields}, line);
  EXPECT_EQ(line, "   n=1|");
}

// ---- Controls::escape

TEST_F(FieldTest, ControlCharactersStayUnlessToldOtherwise) {
  EXPECT_EQ(formatted({.message = "a\nb\x1b"}, "%(message)s"), "a\nb\x1b");
}

TEST_F(FieldTest, EscapedMessageForgesNoLineAndCommandsNoTerminal) {
  const std::string_view attack = "ok\r\nERROR root: forged\x1b[2J\x7f\xC2\x9B\xE2\x80\xA8\xFFz\t";
  EXPECT_EQ(formatted({.name = "a\nb", .message = attack, .exception = "E: a\nb"},
                      "%(name)s:\n%(message)s", Controls::escape),
            "a\\nb:\nok\\r\\nERROR root: forged\\x1b[2J\\x7f\\u009b\\u2028\\xffz\\t\nE: a\\nb");
}

TEST_F(FieldTest, EscapingLeavesTextAlone) {
  const std::string_view text = "na\xC3\xAFve \xE2\x82\xAC \xF0\x9F\x98\x80 C:\\new 100%";
  EXPECT_EQ(formatted({.message = text}, "%(message)s", Controls::escape), text);
}

TEST_F(FieldTest, WidthCountsWhatIsSeen) {
  EXPECT_EQ(formatted({.message = "a\n"}, "%(message)5s|", Controls::escape), "  a\\n|");
}

}  // namespace
}  // namespace conc::test

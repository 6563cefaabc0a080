#include <conc/logging/json_formatter.hpp>

#include <charconv>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <string_view>

#include "field_text.hpp"
#include "utf8.hpp"

namespace conc::logging {
namespace {

void append_digits(std::int64_t number, int digits, std::string& out) {
  std::int64_t unit = 1;
  for (int i = 1; i < digits; ++i) unit *= 10;
  for (; unit != 0; unit /= 10) out += static_cast<char>('0' + number / unit % 10);
}

// "2024-05-31T18:07:59.042137Z"; four digits a year, as JSON's readers want it.
void append_time(std::chrono::system_clock::time_point time, std::string& out) {
  using std::chrono::days;
  using std::chrono::floor;
  using std::chrono::microseconds;
  const auto exact = floor<microseconds>(time);
  const auto day = floor<days>(exact);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(exact - day);
  append_digits(static_cast<int>(date.year()), 4, out);
  append_digits(static_cast<unsigned>(date.month()), 2, out += '-');
  append_digits(static_cast<unsigned>(date.day()), 2, out += '-');
  append_digits(clock.hours().count(), 2, out += 'T');
  append_digits(clock.minutes().count(), 2, out += ':');
  append_digits(clock.seconds().count(), 2, out += ':');
  append_digits(clock.subseconds().count(), 6, out += '.');
  out += 'Z';
}

void append_member(std::string_view name, std::string_view text, std::string& out) {
  ((out += ",\"") += name) += "\":";
  detail::append_json_string(text, out);
}

void append_member(std::string_view name, std::integral auto number, std::string& out) {
  ((out += ",\"") += name) += "\":";
  char digits[24];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, end.ptr);
}

void append_member(std::string_view name, std::span<const Field> fields, std::string& out) {
  ((out += ",\"") += name) += "\":";
  detail::append_json_object(fields, out);
}

}  // namespace

JsonFormatter::JsonFormatter() = default;

JsonFormatter::~JsonFormatter() = default;

void JsonFormatter::format(const LogRecord& record, std::string& out) const {
  out += "{\"time\":\"";
  append_time(record.created, out);
  out += '"';
  append_member("level", level_name(record.level), out);
  append_member("logger", record.name, out);
  append_member("message", record.message, out);
  if (!record.pathname.empty()) append_member("file", record.filename(), out);
  if (record.lineno != 0) append_member("line", record.lineno, out);
  if (!record.func.empty()) append_member("function", record.func, out);
  append_member("thread", record.thread_name, out);
  append_member("threadId", record.thread, out);
  append_member("process", record.process, out);
  if (!record.exception.empty()) append_member("exception", record.exception, out);
  if (!record.context.empty()) append_member("context", record.context, out);
  if (!record.fields.empty()) append_member("fields", record.fields, out);
  out += '}';
}

}  // namespace conc::logging

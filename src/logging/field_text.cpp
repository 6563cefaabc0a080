#include "field_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <string_view>
#include <type_traits>
#include <variant>

#include "utf8.hpp"

namespace conc::logging::detail {
namespace {

template <class Integer>
void append_integer(Integer number, std::string& out) {
  char digits[24];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, end.ptr);
}

bool is_one_word(std::string_view text) {
  return !text.empty() && text.find_first_of(" \"=\\") == std::string_view::npos &&
         is_visible(text);
}

void append_word(std::string_view text, std::string& out) {
  if (is_one_word(text)) {
    out += text;
  } else {
    append_json_string(text, out);
  }
}

void append_value(const FieldValue& value, bool json, std::string& out) {
  std::visit(
      [&](auto plain) {
        using Value = decltype(plain);
        if constexpr (std::is_same_v<Value, bool>) {
          out += plain ? "true" : "false";
        } else if constexpr (std::is_same_v<Value, std::string_view>) {
          json ? append_json_string(plain, out) : append_word(plain, out);
        } else if constexpr (std::is_same_v<Value, double>) {
          const bool quoted = json && !std::isfinite(plain);
          if (quoted) out += '"';
          append_real(plain, out);
          if (quoted) out += '"';
        } else {
          append_integer(plain, out);
        }
      },
      value);
}

// Whether a field of the same name follows.
bool is_overridden(std::span<const Field> fields, std::size_t index) {
  return std::any_of(fields.begin() + static_cast<std::ptrdiff_t>(index) + 1, fields.end(),
                     [&](const Field& later) { return later.name == fields[index].name; });
}

}  // namespace

double as_written(float value) noexcept {
  double result = static_cast<double>(value);
  if (!std::isfinite(value)) return result;
  char digits[32];  // enough for any float in its shortest form
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, value);
  std::from_chars(digits, end.ptr, result);
  return result;
}

void append_real(double number, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{}", number);
}

void append_fields(std::span<const Field> fields, std::string& out) {
  bool first = true;
  for (std::size_t i = 0; i != fields.size(); ++i) {
    if (is_overridden(fields, i)) continue;
    if (!first) out += ' ';
    first = false;
    append_word(fields[i].name, out);
    out += '=';
    append_value(fields[i].value, false, out);
  }
}

void append_json_object(std::span<const Field> fields, std::string& out) {
  out += '{';
  bool first = true;
  for (std::size_t i = 0; i != fields.size(); ++i) {
    if (is_overridden(fields, i)) continue;
    if (!first) out += ',';
    first = false;
    append_json_string(fields[i].name, out);
    out += ':';
    append_value(fields[i].value, true, out);
  }
  out += '}';
}

}  // namespace conc::logging::detail

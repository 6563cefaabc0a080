#include "json_text.hpp"

#include <cstddef>

namespace conc::detail {
namespace {

unsigned byte_at(std::string_view text, std::size_t i) noexcept {
  return static_cast<unsigned char>(text[i]);
}

// The length of the character of UTF-8 that begins the text, or 0 when none does: overlong forms,
// surrogates and what lies beyond U+10FFFF are none.
std::size_t character_length(std::string_view text) noexcept {
  const unsigned first = byte_at(text, 0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_at(text, i) & 0xC0) != 0x80) return 0;
  }
  const unsigned second = byte_at(text, 1);
  const bool out_of_range = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                            (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return out_of_range ? 0 : length;
}

void append_escaped(std::string& to, char c) {
  static constexpr char digits[] = "0123456789abcdef";
  switch (c) {
    case '"':
      to += "\\\"";
      return;
    case '\\':
      to += "\\\\";
      return;
    case '\n':
      to += "\\n";
      return;
    case '\r':
      to += "\\r";
      return;
    case '\t':
      to += "\\t";
      return;
    default:
      break;
  }
  const unsigned code = static_cast<unsigned char>(c);
  if (code >= 0x20 && code != 0x7F) {
    to += c;
  } else {
    to += "\\u00";
    to += digits[code >> 4];
    to += digits[code & 15];
  }
}

}  // namespace

void append_json(std::string& to, std::string_view text) {
  to += '"';
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 0) {
      to += "\\ufffd";
      text.remove_prefix(1);
    } else if (length == 1) {
      append_escaped(to, text.front());
      text.remove_prefix(1);
    } else {
      to += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  to += '"';
}

}  // namespace conc::detail

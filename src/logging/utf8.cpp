#include "utf8.hpp"

#include <cstddef>
#include <cstdint>

namespace conc::logging::detail {
namespace {

// A character at the beginning of some text, or what there is instead.
struct Rune {
  std::uint32_t code;
  std::size_t size;  // in bytes, 1 when it is not valid
  bool valid;
};

constexpr std::uint8_t byte_of(char c) { return static_cast<std::uint8_t>(c); }

// By table 3-7 of the Unicode standard: no overlong forms, no surrogates, nothing above U+10FFFF.
Rune first_rune(std::string_view text) {
  const std::uint8_t lead = byte_of(text[0]);
  if (lead < 0x80) return {lead, 1, true};
  const Rune invalid{lead, 1, false};
  const std::size_t size = lead < 0xC2   ? 0
                           : lead < 0xE0 ? 2
                           : lead < 0xF0 ? 3
                           : lead < 0xF5 ? 4
                                         : 0;
  if (size == 0 || text.size() < size) return invalid;
  std::uint32_t code = lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    const std::uint8_t next = byte_of(text[i]);
    if ((next & 0xC0U) != 0x80U) return invalid;
    code = code << 6U | (next & 0x3FU);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool surrogate = 0xD800 <= code && code <= 0xDFFF;
  if (overlong || surrogate || code > 0x10FFFF) return invalid;
  return {code, size, true};
}

bool is_control(std::uint32_t code) {
  return code < 0x20 || (0x7F <= code && code < 0xA0) || code == 0x2028 || code == 0x2029;
}

// Printable ASCII, which needs no second look but for two characters in JSON.
bool is_plain(char c) { return ' ' <= c && c <= '~'; }

void append_hex(std::uint32_t number, int digits, std::string& out) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    out += "0123456789abcdef"[number >> static_cast<unsigned>(shift) & 0xFU];
  }
}

// The letter behind the backslash, where there is one.
char short_escape(std::uint32_t code) {
  switch (code) {
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return '\0';
  }
}

// The next stretch of text for which `simple` holds, cut off its front.
template <class Simple>
std::string_view cut(std::string_view& text, Simple simple) {
  std::size_t size = 0;
  while (size != text.size() && simple(text[size])) ++size;
  const std::string_view stretch = text.substr(0, size);
  text.remove_prefix(size);
  return stretch;
}

}  // namespace

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  for (;;) {
    out += cut(text, [](char c) { return is_plain(c) && c != '"' && c != '\\'; });
    if (text.empty()) break;
    const Rune rune = first_rune(text);
    if (!rune.valid) {
      out += "\\ufffd";
    } else if (rune.code == '"' || rune.code == '\\') {
      (out += '\\') += text[0];
    } else if (const char letter = short_escape(rune.code); letter != '\0') {
      (out += '\\') += letter;
    } else if (is_control(rune.code)) {
      append_hex(rune.code, 4, out += "\\u");
    } else {
      out += text.substr(0, rune.size);
    }
    text.remove_prefix(rune.size);
  }
  out += '"';
}

bool is_visible(std::string_view text) noexcept {
  for (;;) {
    cut(text, is_plain);
    if (text.empty()) return true;
    const Rune rune = first_rune(text);
    if (!rune.valid || is_control(rune.code)) return false;
    text.remove_prefix(rune.size);
  }
}

void append_visible(std::string_view text, std::string& out) {
  for (;;) {
    out += cut(text, is_plain);
    if (text.empty()) return;
    const Rune rune = first_rune(text);
    if (rune.valid && !is_control(rune.code)) {
      out += text.substr(0, rune.size);
    } else if (const char letter = short_escape(rune.code); letter != '\0') {
      (out += '\\') += letter;
    } else if (rune.code < 0x80 || !rune.valid) {
      append_hex(rune.code, 2, out += "\\x");
    } else {
      append_hex(rune.code, 4, out += "\\u");
    }
    text.remove_prefix(rune.size);
  }
}

}  // namespace conc::logging::detail

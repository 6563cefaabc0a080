// Whether a text is JSON, by RFC 8259, and what it says: enough for tests.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace conc::test {

// Reads the text once, from the left. Strings are returned as UTF-8.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  // Whether the text is one value and nothing more.
  static bool valid(std::string_view text) {
    JsonReader reader(text);
    return reader.value() && reader.at_ == text.size();
  }

  // The string member `name` of the object that the text is, of the first that has it at any depth.
  static std::optional<std::string> string_member(std::string_view text, const std::string& name) {
    const std::string key = "\"" + name + "\":\"";
    const std::size_t found = text.find(key);
    if (found == std::string_view::npos) return std::nullopt;
    JsonReader reader(text.substr(found + key.size() - 1));
    std::string value;
    if (!reader.string(&value)) return std::nullopt;
    return value;
  }

 private:
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool skip(char c) { return peek() == c && at_ < text_.size() && (++at_, true); }
  bool word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  bool digits() {
    const std::size_t begin = at_;
    while ('0' <= peek() && peek() <= '9') ++at_;
    return at_ != begin;
  }
  bool number() {
    skip('-');
    if (!skip('0') && !digits()) return false;
    if (skip('.') && !digits()) return false;
    if (skip('e') || skip('E')) {
      if (!skip('+')) skip('-');
      return digits();
    }
    return true;
  }
  bool string(std::string* out = nullptr) {
    if (!skip('"')) return false;
    while (at_ < text_.size() && peek() != '"') {
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (c < 0x20) return false;
      if (c == '\\') {
        if (!escape(out)) return false;
      } else if (!character(out)) {
        return false;
      }
    }
    return skip('"');
  }
  bool escape(std::string* out) {
    ++at_;
    const char c = peek();
    ++at_;
    const std::string_view from = "\"\\/bfnrt", to = "\"\\/\b\f\n\r\t";
    if (const std::size_t i = from.find(c); c != '\0' && i != std::string_view::npos) {
      if (out != nullptr) *out += to[i];
      return true;
    }
    if (c != 'u') return false;
    unsigned code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const std::size_t digit = std::string_view("0123456789abcdef").find(peek());
      if (peek() == '\0' || digit == std::string_view::npos) return false;
      code = code * 16 + static_cast<unsigned>(digit);
    }
    if (0xD800 <= code && code < 0xE000) return false;  // none is needed
    if (out == nullptr) return true;
    if (code < 0x80) {
      *out += static_cast<char>(code);
    } else if (code < 0x800) {
      *out += static_cast<char>(0xC0 | code >> 6);
      *out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
      *out += static_cast<char>(0xE0 | code >> 12);
      *out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
      *out += static_cast<char>(0x80 | (code & 0x3F));
    }
    return true;
  }
  // One character of well-formed UTF-8.
  bool character(std::string* out) {
    const std::size_t begin = at_;
    const auto lead = static_cast<unsigned char>(text_[at_++]);
    std::size_t more = 0;
    unsigned low = 0x80, high = 0xBF;
    if (lead >= 0x80) {
      if (lead < 0xC2 || lead > 0xF4) return false;
      more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
      if (lead == 0xE0) low = 0xA0;
      if (lead == 0xED) high = 0x9F;
      if (lead == 0xF0) low = 0x90;
      if (lead == 0xF4) high = 0x8F;
    }
    for (; more != 0; --more, ++at_, low = 0x80, high = 0xBF) {
      const auto next = static_cast<unsigned char>(peek());
      if (next < low || next > high) return false;
    }
    if (out != nullptr) *out += text_.substr(begin, at_ - begin);
    return true;
  }
  bool value() {
    switch (peek()) {
      case '{':
        ++at_;
        if (skip('}')) return true;
        do {
          if (!string() || !skip(':') || !value()) return false;
        } while (skip(','));
        return skip('}');
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      default:
        return number();
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace conc::test

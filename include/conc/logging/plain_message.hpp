// PlainMessage: how most messages are formatted. No part of the public interface.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/short_copy.hpp>
#include <conc/export.hpp>

#include <fmt/format.h>

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace conc::logging::detail {

// The first eight "{}" of a format string, found by the compiler. Byte i, from the lowest, holds
// where the i-th one stands, plus 1; 0 that there is none.
//
//   0            plain text
//   not_plain    other marks than "{}", or too many, or too far behind
inline constexpr std::uint64_t not_plain = ~std::uint64_t{0};

constexpr std::uint64_t places_of(std::string_view text) noexcept {
  std::uint64_t places = 0;
  int shift = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '{' && text[i] != '}') continue;
    const bool is_mark = text.substr(i, 2) == "{}";
    if (!is_mark || shift == 64 || i >= 254) return not_plain;
    places |= static_cast<std::uint64_t>(i + 1) << shift;
    shift += 8;
    ++i;
  }
  return places;
}

// A format string at run time.
struct MessageText {
  std::string_view text;
  std::uint64_t places;  // see places_of()
};

// Room for the digits of any integer of 64 bits, and for what write_decimal() writes.
inline constexpr std::size_t number_room = 24;

// Writes the shortest decimal fraction that reads as `value`, as fmt's "{}" does, and returns its
// end; or null when it has more than six decimals, more than 15 digits, or an exponent.
[[nodiscard]] CONC_LOGGING_EXPORT char* write_decimal(double value, char* out) noexcept;

// A message of moderate size whose format string has only "{}", for numbers and text: formatted in
// place, with the result that fmt has. It is several times as fast, since the text is not parsed
// any more and most floating-point numbers in messages are short.
class PlainMessage {
 public:
  PlainMessage() noexcept {}  // leaves room_ as it is

  // False when the message is not of that kind; text() is nothing then.
  [[nodiscard]] bool format(const MessageText& format, const fmt::format_args& args) {
    std::uint64_t places = format.places;
    if (places == not_plain) return false;
    if (places == 0) {
      text_ = format.text;
      return true;
    }
    // Null from where it did not fit on.
    char* end = room_;
    const char* from = format.text.data();
    for (int i = 0; places != 0; ++i, places >>= 8) {
      const char* const mark = format.text.data() + (places & 0xFF) - 1;
      end = append(from, static_cast<std::size_t>(mark - from), end);
      if (end != nullptr) end = append(args.get(i), end);
      if (end == nullptr) return false;
      from = mark + 2;
    }
    const char* const text_end = format.text.data() + format.text.size();
    end = append(from, static_cast<std::size_t>(text_end - from), end);
    if (end == nullptr) return false;
    text_ = {room_, static_cast<std::size_t>(end - room_)};
    return true;
  }

  [[nodiscard]] std::string_view text() const noexcept { return text_; }

 private:
  static constexpr std::size_t room_size = 512;

  [[nodiscard]] std::size_t left(const char* end) const noexcept {
    return static_cast<std::size_t>(room_ + room_size - end);
  }

  CONC_ALWAYS_INLINE char* append(const char* text, std::size_t size, char* end) noexcept {
    return size <= left(end) ? conc::detail::copy_short(text, size, end) : nullptr;
  }

  CONC_ALWAYS_INLINE char* append(const fmt::format_args::format_arg& arg, char* end) {
    const auto visitor = [this, end](const auto& value) { return append_value(value, end); };
#if FMT_VERSION >= 110000
    return arg.visit(visitor);
#else
    return fmt::visit_format_arg(visitor, arg);
#endif
  }

  template <class T>
  CONC_ALWAYS_INLINE char* append_value(const T& value, char* end) {
    if constexpr (std::same_as<T, bool>) {
      return value ? append("true", 4, end) : append("false", 5, end);
    } else if constexpr (std::same_as<T, char>) {
      return append(&value, 1, end);
    } else if constexpr (std::same_as<T, int> || std::same_as<T, unsigned> ||
                         std::same_as<T, long long> || std::same_as<T, unsigned long long>) {
      return left(end) >= number_room ? std::to_chars(end, end + number_room, value).ptr : nullptr;
    } else if constexpr (std::same_as<T, double>) {
      if (left(end) < 2 * number_room) return nullptr;
      char* const short_end = write_decimal(value, end);
      return short_end != nullptr ? short_end : fmt::format_to(end, "{}", value);
    } else if constexpr (std::same_as<T, const char*>) {
      return value != nullptr ? append(value, std::char_traits<char>::length(value), end) : nullptr;
    } else if constexpr (std::same_as<T, fmt::string_view>) {
      return append(value.data(), value.size(), end);
    } else {
      return nullptr;
    }
  }

  std::string_view text_;
  char room_[room_size];
};

}  // namespace conc::logging::detail

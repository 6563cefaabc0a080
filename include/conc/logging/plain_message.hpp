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
#include <utility>

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

// What an argument is while the message is formatted in place: a bool, a char, an int, unsigned,
// long long, unsigned long long or double, text; or that it cannot be. All that look alike become
// one, so that the code for one call serves others.
struct NoPlainValue {};

template <class T>
constexpr auto plain_value(const T& value) noexcept {
  if constexpr (std::same_as<T, bool> || std::same_as<T, char> || std::same_as<T, double>) {
    return value;
  } else if constexpr (std::integral<T> && sizeof(T) <= sizeof(int)) {
    return static_cast<std::conditional_t<std::is_signed_v<T>, int, unsigned>>(value);
  } else if constexpr (std::integral<T> && sizeof(T) <= sizeof(long long)) {
    return static_cast<std::conditional_t<std::is_signed_v<T>, long long, unsigned long long>>(
        value);
  } else if constexpr (std::same_as<T, std::string> || std::same_as<T, std::string_view>) {
    return std::string_view(value);
  } else if constexpr (std::same_as<std::decay_t<T>, const char*> ||
                       std::same_as<std::decay_t<T>, char*>) {
    return static_cast<const char*>(value);
  } else {
    return NoPlainValue();
  }
}

template <class T>
using PlainValue = decltype(plain_value(std::declval<const T&>()));

template <class T>
concept HasPlainValue = !std::same_as<PlainValue<T>, NoPlainValue>;

// A message of moderate size whose format string has only "{}", for numbers and text: formatted in
// place, with the result that fmt has. It is several times as fast, since the text is not parsed
// any more, the types are known, and most floating-point numbers in messages are short.
class PlainMessage {
 public:
  PlainMessage() noexcept {}  // leaves room_ as it is

  // Of what plain_value() made of the arguments. False when the message is not of that kind; text()
  // is nothing then.
  template <class... Values>
  [[nodiscard]] bool format(const MessageText& format, const Values&... values) noexcept {
    std::uint64_t places = format.places;
    if (places == not_plain) return false;
    if (places == 0) {
      text_ = format.text;
      return true;
    }
    char* end = room_;  // null from where it did not fit on
    const char* from = format.text.data();
    [[maybe_unused]] const auto add = [&](const auto& value) {
      if (places == 0) return true;  // there may be more arguments than marks
      const char* const mark = format.text.data() + (places & 0xFF) - 1;
      end = append_text(from, static_cast<std::size_t>(mark - from), end);
      if (end != nullptr) end = append(value, end);
      from = mark + 2;
      places >>= 8;
      return end != nullptr;
    };
    if (!(add(values) && ...)) return false;
    const char* const text_end = format.text.data() + format.text.size();
    end = append_text(from, static_cast<std::size_t>(text_end - from), end);
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

  char* append_text(const char* text, std::size_t size, char* end) noexcept {
    return size <= left(end) ? conc::detail::copy_short(text, size, end) : nullptr;
  }

  char* append(bool value, char* end) noexcept {
    return value ? append_text("true", 4, end) : append_text("false", 5, end);
  }

  char* append(char value, char* end) noexcept { return append_text(&value, 1, end); }

  template <std::integral T>
  char* append(T value, char* end) noexcept {
    return left(end) >= number_room ? std::to_chars(end, end + number_room, value).ptr : nullptr;
  }

  char* append(double value, char* end) noexcept {
    if (left(end) < 2 * number_room) return nullptr;
    char* const short_end = write_decimal(value, end);
    return short_end != nullptr ? short_end : append_with_fmt(value, end);
  }

  CONC_NOINLINE static char* append_with_fmt(double value, char* end) noexcept {
    try {
      return fmt::format_to(end, "{}", value);
    } catch (...) {
      return nullptr;
    }
  }

  char* append(std::string_view value, char* end) noexcept {
    return append_text(value.data(), value.size(), end);
  }

  // Null is fmt's to complain of.
  char* append(const char* value, char* end) noexcept {
    return value != nullptr ? append(std::string_view(value), end) : nullptr;
  }

  std::string_view text_;
  char room_[room_size];
};

}  // namespace conc::logging::detail

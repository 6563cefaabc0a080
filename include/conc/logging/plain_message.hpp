// Plain messages: how most are formatted. No part of the public interface.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/short_copy.hpp>
#include <conc/export.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

// A message is plain if its format string has only "{}", for numbers and text, and it is of
// moderate size. It is formatted without fmt, with the result that fmt has, and several times as
// fast, since the text is not parsed any more, the types are known, and most floating-point numbers
// in messages are short. One that goes into a queue is formatted by whoever wants to see it there.
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

// Write what fmt's "{}" does and return its end. They need number_room.
[[nodiscard]] CONC_LOGGING_EXPORT char* write_number(long long value, char* out) noexcept;
[[nodiscard]] CONC_LOGGING_EXPORT char* write_number(unsigned long long value, char* out) noexcept;
[[nodiscard]] CONC_LOGGING_EXPORT char* write_number(double value, char* out) noexcept;

inline constexpr std::size_t number_room = 25;  // "-2.2250738585072014e-308" and one more
inline constexpr std::size_t plain_room = 512;  // what a plain message needs at most

// An argument of a plain message, whatever its type was. Refers to the text, if it is one.
class PlainValue {
 public:
  explicit PlainValue(std::string_view text) noexcept
      : text_(text.data()), size_(std::min(text.size(), too_long)) {}
  // Null is fmt's to complain of.
  explicit PlainValue(const char* text) noexcept
      : text_(text), size_(text != nullptr ? std::min(std::strlen(text), too_long) : too_long) {}
  explicit PlainValue(bool value) noexcept
      : PlainValue(value ? std::string_view("true") : std::string_view("false")) {}
  explicit PlainValue(char value) noexcept : letter_(value), size_(letter) {}
  explicit PlainValue(int value) noexcept : integer_(value), size_(integer) {}
  explicit PlainValue(unsigned value) noexcept : integer_(value), size_(integer) {}
  explicit PlainValue(long long value) noexcept : integer_(value), size_(integer) {}
  explicit PlainValue(unsigned long long value) noexcept : natural_(value), size_(natural) {}
  explicit PlainValue(double value) noexcept : real_(value), size_(real) {}

  [[nodiscard]] bool is_text() const noexcept { return size_ <= too_long; }
  [[nodiscard]] std::string_view text() const noexcept { return {text_, size_}; }

  // What write() needs. More than plain_room: the message is not plain.
  [[nodiscard]] std::size_t room() const noexcept { return is_text() ? size_ : number_room; }

  // Writes what fmt's "{}" does and returns its end.
  [[nodiscard]] CONC_ALWAYS_INLINE char* write(char* out) const noexcept {
    if (is_text()) return conc::detail::copy_short(text_, size_, out);
    if (size_ == integer) return write_number(integer_, out);
    if (size_ == natural) return write_number(natural_, out);
    if (size_ == real) return write_number(real_, out);
    *out = letter_;
    return out + 1;
  }

 private:
  static constexpr std::size_t too_long = plain_room + 1;
  // In place of a text's size:
  static constexpr std::size_t integer = too_long + 1;
  static constexpr std::size_t natural = too_long + 2;
  static constexpr std::size_t real = too_long + 3;
  static constexpr std::size_t letter = too_long + 4;

  union {
    const char* text_;
    long long integer_;
    unsigned long long natural_;
    double real_;
    char letter_;
  };
  std::size_t size_;
};

// Writes a plain message piece by piece.
class PlainWriter {
 public:
  PlainWriter(const MessageText& format, char* out) noexcept
      : text_(format.text), places_(format.places), from_(text_.data()), out_(out) {}

  // Whether there are values to come.
  [[nodiscard]] bool wants_more() const noexcept { return places_ != 0; }

  CONC_ALWAYS_INLINE void add(const PlainValue& value) noexcept {
    const char* const mark = text_.data() + (places_ & 0xFF) - 1;
    out_ = value.write(copy_until(mark));
    from_ = mark + 2;
    places_ >>= 8;
  }

  // Writes what is left of the text and returns the end of the message.
  [[nodiscard]] CONC_ALWAYS_INLINE char* finish() noexcept {
    return copy_until(text_.data() + text_.size());
  }

 private:
  CONC_ALWAYS_INLINE char* copy_until(const char* end) noexcept {
    return conc::detail::copy_short(from_, static_cast<std::size_t>(end - from_), out_);
  }

  const std::string_view text_;
  std::uint64_t places_;  // that are left
  const char* from_;
  char* out_;
};

// What is put into the places of a plain message that is to be formatted later.
struct PlainValues {
  std::uint64_t places = 0;  // see places_of(); there are some
  const PlainValue* first = nullptr;
  std::size_t number = 0;  // at least as many as there are places
  std::size_t texts = 0;   // characters of those that are text
  std::size_t room = 0;    // what the message needs when it is formatted
};

// What an argument is before it becomes a PlainValue; or that it cannot be one. All that look alike
// are one type, so that the code for one call serves others.
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
concept HasPlainValue =
    !std::same_as<decltype(plain_value(std::declval<const T&>())), NoPlainValue>;

}  // namespace conc::logging::detail

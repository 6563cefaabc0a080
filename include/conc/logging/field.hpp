// Field: a named value that a record carries beside its message.
#pragma once

#include <conc/config.hpp>

#include <fmt/format.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace conc::logging {

// What fields hold: what JSON can tell apart. Other things are text, as fmt writes them.
using FieldValue = std::variant<bool, std::int64_t, std::uint64_t, double, std::string_view>;

// The name and the text are borrowed, as all text of a record.
struct Field {
  std::string_view name;
  FieldValue value;
};

// What field() returns: lives as long as the logging call.
template <class T>
struct FieldArgument {
  std::string_view name;
  const T& value;
};

// A field of the record, behind the arguments of the message:
//
//   log.info("sent {} files", n, field("bytes", size), field("to", host));
//
// Numbers, bool and strings stay what they are; anything else that fmt can format becomes text, and
// only when the call's level is enabled. A float becomes the double that is written as it is: 0.1f
// becomes 0.1; a long double becomes the nearest double. JsonFormatter writes fields as an object,
// Formatter where the pattern says %(fields)s. When two fields of a record have one name, the later
// counts.
// Python: logging's extra=
template <class T>
[[nodiscard]] FieldArgument<T> field(std::string_view name,
                                     const T& value CONC_LIFETIMEBOUND) noexcept {
  return {name, value};
}

namespace detail {

template <class T>
inline constexpr bool is_field = false;
template <class T>
inline constexpr bool is_field<FieldArgument<T>> = true;

// How many of the types stand before the first field.
template <class... Args>
constexpr std::size_t arguments_before_fields() {
  std::size_t count = 0;
  static_cast<void>(((!is_field<std::remove_cvref_t<Args>> && (++count, true)) && ...));
  return count;
}

// How many are fields.
template <class... Args>
inline constexpr std::size_t number_of_fields = (std::size_t{0} + ... +
                                                 (is_field<std::remove_cvref_t<Args>> ? 1 : 0));

// The double that the shortest decimal text of the float means. Infinities and NaN stay what they
// are.
CONC_LOGGING_EXPORT double as_written(float value) noexcept;

// The value as a field has it; text that has to be made is put into `room`.
template <class T>
FieldValue field_value(const T& value, std::string& room) {
  if constexpr (std::same_as<T, bool>) {
    return value;
  } else if constexpr (std::same_as<T, char>) {
    room.assign(1, value);
    return std::string_view(room);
  } else if constexpr (std::signed_integral<T> && sizeof(T) <= sizeof(std::int64_t)) {
    return static_cast<std::int64_t>(value);
  } else if constexpr (std::unsigned_integral<T> && sizeof(T) <= sizeof(std::uint64_t)) {
    return static_cast<std::uint64_t>(value);
  } else if constexpr (std::same_as<T, float>) {
    return as_written(value);
  } else if constexpr (std::same_as<T, double> || std::same_as<T, long double>) {
    return static_cast<double>(value);
  } else if constexpr (std::same_as<T, std::nullptr_t>) {
    return std::string_view("0x0");  // as fmt has it
  } else if constexpr (std::convertible_to<const T&, std::string_view>) {
    if constexpr (std::is_pointer_v<T>) {
      if (value == nullptr) return std::string_view("(null)");
    }
    return std::string_view(value);
  } else {
    room = fmt::format("{}", value);
    return std::string_view(room);
  }
}

}  // namespace detail

// A field in a list in braces: {{"request", id}, {"user", name}}. A parameter type.
class FieldItem {
 public:
  // As field(name, value).
  template <class T>
  FieldItem(std::string_view name, const T& value)
      : field_{name, detail::field_value(value, room_)} {}

  FieldItem(const FieldItem&) = delete;
  FieldItem& operator=(const FieldItem&) = delete;

  [[nodiscard]] const Field& get() const noexcept { return field_; }

 private:
  std::string room_;  // before field_, which may point into it
  Field field_;
};

}  // namespace conc::logging

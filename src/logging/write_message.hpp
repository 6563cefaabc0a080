// How plain messages are formatted.
#pragma once

#include <conc/logging/plain_message.hpp>

#include <string_view>

namespace conc::logging::detail {

// Writes the text with the values in their places and returns its end. There is room for it.
char* write_message(std::string_view text, const PlainValues& values, char* out) noexcept;

// Writes the shortest decimal fraction that reads as `value`, as fmt's "{}" does, and returns its
// end; or null when it has more than six decimals, more than 15 digits, or an exponent. Needs room
// for 18 characters.
[[nodiscard]] char* write_decimal(double value, char* out) noexcept;

}  // namespace conc::logging::detail

// Padding: how text is brought to a width.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace conc::logging::detail {

struct Padding {
  enum class Align : std::uint8_t { left, right, center };
  static constexpr std::size_t unlimited = static_cast<std::size_t>(-1);

  Align align = Align::left;
  std::size_t width = 0;              // at least so many characters
  std::size_t precision = unlimited;  // at most so many
  std::string fill = " ";             // one character, of one or more bytes

  // Whether text stays as it is.
  [[nodiscard]] bool idle() const noexcept { return width == 0 && precision == unlimited; }
};

// Appends `text` brought to the width. A character is a UTF-8 code point; in text that is not UTF-8
// it is something, but never beyond the end.
void append_padded(std::string_view text, const Padding& padding, std::string& out);

// The bytes of the first `count` code points.
[[nodiscard]] std::string_view first_code_points(std::string_view text, std::size_t count) noexcept;

}  // namespace conc::logging::detail

// The pieces of a format pattern.
#pragma once

#include <conc/logging/formatter.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "padding.hpp"

namespace conc::logging::detail {

enum class Attribute : std::uint8_t {
  // Text
  name,
  levelname,
  message,
  pathname,
  filename,
  module_name,
  func_name,
  asctime,
  thread_name,
  process_name,
  fields,
  context,
  // Integers
  levelno,
  lineno,
  msecs,
  thread,
  process,
  // Numbers with a fraction
  created,
  relative_created,
};

// A field, and the literal text behind it. The text before the first field is a piece without one.
struct Piece {
  enum class Kind : std::uint8_t {
    literal,  // no field
    text,     // the field as text, padded
    integer,  // the field as an integer, `format` being a format string of fmt; or "": plain digits
    real,     // the field with its fraction, likewise
  };

  Kind kind = Kind::literal;
  Attribute field{};
  std::string literal{};
  Padding padding{};
  std::string format{};
};

// Throws std::invalid_argument that names the field or the position.
[[nodiscard]] std::vector<Piece> compile_pattern(std::string_view pattern, Style style);

}  // namespace conc::logging::detail

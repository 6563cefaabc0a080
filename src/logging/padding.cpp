#include "padding.hpp"

#include <algorithm>

namespace conc::logging::detail {
namespace {

bool starts_code_point(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

}  // namespace

std::string_view first_code_points(std::string_view text, std::size_t count) noexcept {
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    if (starts_code_point(text[end]) && count-- == 0) break;
  }
  return text.substr(0, end);
}

void append_padded(std::string_view text, const Padding& padding, std::string& out) {
  auto characters =
      static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_code_point));
  if (characters > padding.precision) {
    text = first_code_points(text, padding.precision);
    characters = padding.precision;
  }
  const std::size_t missing = padding.width > characters ? padding.width - characters : 0;
  const std::size_t before = padding.align == Padding::Align::left    ? 0
                             : padding.align == Padding::Align::right ? missing
                                                                      : missing / 2;
  const auto fill = [&](std::size_t count) {
    if (padding.fill.size() == 1) {
      out.append(count, padding.fill.front());
    } else {
      while (count-- != 0) out += padding.fill;
    }
  };
  fill(before);
  out += text;
  fill(missing - before);
}

}  // namespace conc::logging::detail

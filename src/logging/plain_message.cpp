#include <conc/logging/plain_message.hpp>

#include <cmath>

namespace conc::logging::detail {
namespace {

// All digits at once, not one after the other.
char* write_three(std::uint32_t number, char* out) noexcept {
  out[0] = static_cast<char>('0' + number / 100);
  out[1] = static_cast<char>('0' + number / 10 % 10);
  out[2] = static_cast<char>('0' + number % 10);
  return out + 3;
}

}  // namespace

// With number = value * 10^6, rounded: if number / 10^6 gives `value` back, the fraction number /
// 10^6 reads as `value`, since that is how it is read: both operands are exact, so the division
// rounds once. Below 10^15 the number has 15 digits at most, and no two fractions of so few digits
// read as the same double; so there is no shorter one but for zeros at the end, which are left out.
char* write_decimal(double value, char* out) noexcept {
  constexpr std::int64_t unit = 1'000'000;
  const double scaled = value * static_cast<double>(unit);
  if (!(std::fabs(scaled) < 1e15)) return nullptr;  // or not a number
  const auto number = static_cast<std::int64_t>(scaled + std::copysign(0.5, scaled));
  if (static_cast<double>(number) / static_cast<double>(unit) != value) return nullptr;

  const auto digits = static_cast<std::uint64_t>(number < 0 ? -number : number);
  constexpr std::uint64_t least_without_exponent = 100;  // 0.0001
  if (digits < least_without_exponent && digits != 0) return nullptr;
  if (std::signbit(value)) *out++ = '-';  // of -0 as well
  out = std::to_chars(out, out + number_room, digits / unit).ptr;
  const auto fraction = static_cast<std::uint32_t>(digits % unit);
  if (fraction == 0) return out;
  *out++ = '.';
  out = write_three(fraction / 1000, out);
  if (fraction % 1000 != 0) out = write_three(fraction % 1000, out);
  while (out[-1] == '0') --out;
  return out;
}

}  // namespace conc::logging::detail

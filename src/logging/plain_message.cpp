#include <conc/logging/plain_message.hpp>

#include <cmath>

namespace conc::logging::detail {

// With number = value * 10^6, rounded: if number / 10^6 gives `value` back, the fraction number /
// 10^6 reads as `value`, since that is how it is read: both operands are exact, so the division
// rounds once. Below 10^15 the number has 15 digits at most, and no two fractions of so few digits
// read as the same double; so there is no shorter one but for zeros at the end, which are left out.
char* write_decimal(double value, char* out) noexcept {
  constexpr int decimals = 6;
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
  auto fraction = static_cast<std::uint32_t>(digits % unit);
  if (fraction == 0) return out;
  *out++ = '.';
  int count = decimals;
  for (; fraction % 10 == 0; fraction /= 10) --count;
  for (int i = count; i != 0; fraction /= 10) out[--i] = static_cast<char>('0' + fraction % 10);
  return out + count;
}

}  // namespace conc::logging::detail

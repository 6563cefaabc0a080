#include <conc/logging/plain_message.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace conc::logging::detail {
namespace {

// What stands behind the point of a number of thousandths; and how much of it without the zeros at
// the end.
struct Thousandths {
  char digits[3];
  std::uint8_t needed;
};

constexpr std::array<Thousandths, 1000> thousandths = [] {
  std::array<Thousandths, 1000> all{};
  for (int number = 0; number < 1000; ++number) {
    Thousandths& one = all[static_cast<std::size_t>(number)];
    one.digits[0] = static_cast<char>('0' + number / 100);
    one.digits[1] = static_cast<char>('0' + number / 10 % 10);
    one.digits[2] = static_cast<char>('0' + number % 10);
    one.needed = number % 10 != 0 ? 3 : number % 100 != 0 ? 2 : 1;
  }
  return all;
}();

// Returns the end of what is needed. Writes one character more than there are digits.
char* write_thousandths(std::uint32_t number, char* out) noexcept {
  const Thousandths& digits = thousandths[number];
  std::memcpy(out, &digits, sizeof(digits));
  return out + digits.needed;
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
  const auto whole = static_cast<std::uint32_t>(digits / unit);
  const auto fraction = static_cast<std::uint32_t>(digits % unit);
  out = std::to_chars(out, out + number_room, whole).ptr;
  if (fraction == 0) return out;
  *out++ = '.';
  char* const end = write_thousandths(fraction / 1000, out);
  return fraction % 1000 != 0 ? write_thousandths(fraction % 1000, out + 3) : end;
}

}  // namespace conc::logging::detail

#include "write_message.hpp"

#include <conc/config.hpp>
#include <conc/detail/short_copy.hpp>

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace conc::logging::detail {
namespace {

// The three digits of a number below a thousand, and how many there are without the zeros at their
// end.
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

// They write four characters at most, whatever end they return.

char* write_all_digits(std::uint32_t number, char* out) noexcept {
  std::memcpy(out, &thousandths[number], sizeof(Thousandths));
  return out + 3;
}

// Without zeros at the end.
char* write_thousandths(std::uint32_t number, char* out) noexcept {
  const Thousandths& digits = thousandths[number];
  std::memcpy(out, &digits, sizeof(digits));
  return out + digits.needed;
}

// Without zeros at the beginning.
char* write_below_thousand(std::uint32_t number, char* out) noexcept {
  if (number >= 100) return write_all_digits(number, out);
  const Thousandths& digits = thousandths[number];
  if (number >= 10) *out++ = digits.digits[1];
  *out++ = digits.digits[2];
  return out;
}

char* write_natural(std::uint64_t number, char* out) noexcept {
  if (number >= 1'000'000'000) return std::to_chars(out, out + 20, number).ptr;
  const auto digits = static_cast<std::uint32_t>(number);
  if (digits < 1000) return write_below_thousand(digits, out);
  if (digits < 1'000'000) {
    out = write_below_thousand(digits / 1000, out);
  } else {
    out = write_below_thousand(digits / 1'000'000, out);
    out = write_all_digits(digits / 1000 % 1000, out);
  }
  return write_all_digits(digits % 1000, out);
}

CONC_NOINLINE char* write_with_fmt(double value, char* out) noexcept {
  return fmt::format_to(out, "{}", value);
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
  out = write_natural(whole, out);
  if (fraction == 0) return out;
  *out++ = '.';
  char* const end = write_thousandths(fraction / 1000, out);
  return fraction % 1000 != 0 ? write_thousandths(fraction % 1000, out + 3) : end;
}

char* write_number(unsigned long long value, char* out) noexcept {
  return write_natural(value, out);
}

char* write_number(long long value, char* out) noexcept {
  auto digits = static_cast<std::uint64_t>(value);
  if (value < 0) {
    *out++ = '-';
    digits = 0 - digits;
  }
  return write_natural(digits, out);
}

char* write_number(double value, char* out) noexcept {
  char* const end = write_decimal(value, out);
  return end != nullptr ? end : write_with_fmt(value, out);
}

char* write_message(std::string_view text, const PlainValues& values, char* out) noexcept {
  PlainWriter writer({text, values.places}, out);
  for (const PlainValue* value = values.first; writer.wants_more(); ++value) writer.add(*value);
  return writer.finish();
}

}  // namespace conc::logging::detail

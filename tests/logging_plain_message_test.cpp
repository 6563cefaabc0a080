// Messages that are formatted without fmt look as if fmt had formatted them.

#include <conc/logging/plain_message.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>

namespace conc::logging::detail {
namespace {

// The text, or "fmt!" when it is fmt's to make.
template <class... Args>
std::string plain(std::string_view format, const Args&... args) {
  PlainMessage message;
  if constexpr ((HasPlainValue<Args> && ...)) {
    if (message.format({format, places_of(format)}, plain_value(args)...)) {
      return std::string(message.text());
    }
  }
  return "fmt!";
}

std::string decimal(double value) {
  char room[2 * number_room];
  char* const end = write_decimal(value, room);
  return end != nullptr ? std::string(room, end) : "fmt!";
}

static_assert(places_of("") == 0);
static_assert(places_of("text") == 0);
static_assert(places_of("{}") == 1);
static_assert(places_of("a {} b {}") == 0x803);
static_assert(places_of("{}{}{}{}{}{}{}{}") == 0x0F'0D'0B'09'07'05'03'01);
static_assert(places_of("{}{}{}{}{}{}{}{}{}") == not_plain);
static_assert(places_of("{0}") == not_plain);
static_assert(places_of("{:d}") == not_plain);
static_assert(places_of("{{}}") == not_plain);
static_assert(places_of("a }}") == not_plain);

TEST(PlainMessage, LooksAsIfFmtHadMadeIt) {
  const std::string text = "text";
  EXPECT_EQ(plain("nothing to do"), "nothing to do");
  EXPECT_EQ(plain("{}", 1), "1");
  EXPECT_EQ(plain("a {} b {} c", "x", text), "a x b text c");
  EXPECT_EQ(plain("{}{}{}", true, 'c', false), "truecfalse");
  EXPECT_EQ(plain("{} {}", std::numeric_limits<int>::min(), std::numeric_limits<unsigned>::max()),
            "-2147483648 4294967295");
  EXPECT_EQ(plain("{} {}", std::numeric_limits<std::int64_t>::min(),
                  std::numeric_limits<std::uint64_t>::max()),
            "-9223372036854775808 18446744073709551615");
  EXPECT_EQ(plain("{}", std::string_view("a\0b", 3)), std::string("a\0b", 3));
  EXPECT_EQ(plain("{} ms", 12.5), "12.5 ms");
  EXPECT_EQ(plain("{}", 1e300 / 7), fmt::format("{}", 1e300 / 7));
  EXPECT_EQ(plain("{}", std::numeric_limits<double>::infinity()), "inf");
}

TEST(PlainMessage, LooksAsIfFmtHadMadeItWhateverTheType) {
  const auto check = [](const auto&... args) {
    EXPECT_EQ(plain("{} {}", args..., '.'), fmt::format("{} {}", args..., '.'));
  };
  check(static_cast<signed char>(-65));
  check(static_cast<unsigned char>(65));
  check(static_cast<short>(-32768));
  check(static_cast<unsigned short>(65535));
  check(std::numeric_limits<long>::min());
  check(std::numeric_limits<unsigned long>::max());
  check(std::numeric_limits<long long>::min());
  check(std::numeric_limits<unsigned long long>::max());
  char letters[8] = "abc";  // what stands behind the first null character does not count
  check(letters);
  char* const pointer = letters;
  check(pointer);
  check(static_cast<const char*>(letters));
  check("a literal");
}

TEST(PlainMessage, TakesNoNoticeOfArgumentsWithoutAMark) {
  EXPECT_EQ(plain("nothing", 1), "nothing");
  EXPECT_EQ(plain("{} of", 1, 2, "three"), "1 of");
  EXPECT_EQ(plain("{}{}{}{}{}{}{}{}", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10), "12345678");
}

TEST(PlainMessage, LeavesToFmtWhatItCannotDo) {
  const int x = 1;
  const char* const null = nullptr;
  EXPECT_EQ(plain("{:x}", x), "fmt!");
  EXPECT_EQ(plain("{}", 1.5F), "fmt!");
  EXPECT_EQ(plain("{}", 1.5L), "fmt!");
  EXPECT_EQ(plain("{}", nullptr), "fmt!");
  EXPECT_EQ(plain("{}", static_cast<const void*>(&x)), "fmt!");
  EXPECT_EQ(plain("{}", null), "fmt!");
  EXPECT_EQ(plain("{}", std::string(1000, 'x')), "fmt!");
}

// The room is 512 characters.
TEST(PlainMessage, IsExactWhereTheRoomEnds) {
  for (std::size_t size = 440; size <= 520; ++size) {
    const std::string filling(size, 'x');
    for (const std::string& text : {plain("{}{}", filling, 1234567), plain("{}{}", filling, 1e-300),
                                    plain("{}{}", filling, 123.25), plain("{}{}", filling, "ab")}) {
      EXPECT_TRUE(text == "fmt!" || (text.size() <= 512 && text.starts_with(filling)));
    }
  }
  EXPECT_EQ(plain("{}", std::string(512, 'x')), std::string(512, 'x'));
  EXPECT_EQ(plain("{}", std::string(513, 'x')), "fmt!");
}

TEST(WriteDecimal, WritesShortFractionsAsFmtDoes) {
  EXPECT_EQ(decimal(0), "0");
  EXPECT_EQ(decimal(-0.0), "-0");
  EXPECT_EQ(decimal(1), "1");
  EXPECT_EQ(decimal(-12.5), "-12.5");
  EXPECT_EQ(decimal(0.1), "0.1");
  EXPECT_EQ(decimal(0.0001), "0.0001");
  EXPECT_EQ(decimal(0.000123), "0.000123");
  EXPECT_EQ(decimal(123456789.123456), "123456789.123456");
  EXPECT_EQ(decimal(999999999), "999999999");
}

TEST(WriteDecimal, LeavesOtherNumbersToFmt) {
  for (const double value :
       {0.00005, 0.1 + 0.2, 1.0 / 3, 1e9, 1e22, 1e-300, 5e-324, std::nan(""),
        std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
        std::numeric_limits<double>::max(), std::nextafter(1.0, 2.0), std::nextafter(0.5, 0.0)}) {
    EXPECT_EQ(decimal(value), "fmt!") << value;
  }
}

TEST(WriteDecimal, IsNeverDifferentFromFmt) {
  std::mt19937_64 random(5);  // NOLINT: the same numbers in each run
  int written = 0;
  for (int i = 0; i < 300'000; ++i) {
    const auto bits = random();
    // Fractions of few and of many decimals, their neighbours, and anything.
    double value = 0;
    switch (i % 3) {
      case 0:
        value = static_cast<double>(bits % 10'000'000'000) / std::pow(10, bits >> 61);
        break;
      case 1:
        value = std::nextafter(static_cast<double>(bits % 1'000'000) / 1000,
                               (bits >> 63) != 0 ? 1e9 : -1);
        break;
      default:
        value = std::ldexp(static_cast<double>(bits), static_cast<int>(random() % 100) - 90);
    }
    if ((bits & 1) != 0) value = -value;
    const std::string ours = decimal(value);
    if (ours == "fmt!") continue;
    ++written;
    ASSERT_EQ(ours, fmt::format("{}", value));
  }
  EXPECT_GT(written, 50'000);
}

}  // namespace
}  // namespace conc::logging::detail

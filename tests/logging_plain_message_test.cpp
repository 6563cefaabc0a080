// Messages that are formatted without fmt look as if fmt had formatted them.

#include "../src/logging/write_message.hpp"

#include <conc/logging/plain_message.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <string_view>

namespace conc::logging::detail {
namespace {

// The text, or "fmt!" when it is fmt's to make. It is made in both ways, at once and later.
template <class... Args>
std::string plain(std::string_view format, const Args&... args) {
  if constexpr ((HasPlainValue<Args> && ...)) {
    const MessageText text{format, places_of(format)};
    const std::array<PlainValue, sizeof...(Args)> values{PlainValue(plain_value(args))...};
    std::size_t room = format.size();
    for (const PlainValue& value : values) room += value.room();
    if (text.places == not_plain || room > plain_room) return "fmt!";

    std::string at_once(room, '?');
    PlainWriter writer(text, at_once.data());
    ((writer.wants_more() ? writer.add(PlainValue(plain_value(args))) : void()), ...);
    at_once.resize(static_cast<std::size_t>(writer.finish() - at_once.data()));

    std::string later(room, '?');
    const PlainValues all{text.places, values.data(), values.size(), 0, room};
    later.resize(static_cast<std::size_t>(write_message(format, all, later.data()) - later.data()));
    EXPECT_EQ(at_once, later);
    return later;
  }
  return "fmt!";
}

std::string decimal(double value) {
  char room[number_room];
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

// The room is 512 characters, of which a number and a mark get more than they need most often.
TEST(PlainMessage, IsFmtsWhereTheRoomEnds) {
  for (std::size_t size = 440; size <= 520; ++size) {
    const std::string filling(size, 'x');
    const bool suffices = size + 4 + number_room <= 512;
    EXPECT_EQ(plain("{}{}", filling, 1234567), suffices ? filling + "1234567" : "fmt!");
    EXPECT_EQ(plain("{}{}", filling, 1e-300), suffices ? filling + "1e-300" : "fmt!");
    EXPECT_EQ(plain("{}{}", filling, "ab"), size + 4 + 2 <= 512 ? filling + "ab" : "fmt!");
    EXPECT_EQ(plain("{}", filling.c_str()), size + 2 <= 512 ? filling : "fmt!");
  }
  EXPECT_EQ(plain("{}", std::string(100'000, 'x')), "fmt!");
}

TEST(PlainMessage, NeedsNoMoreRoomThanItSays) {
  const auto check = [](auto value) {
    char room[number_room + 1];
    std::memset(room, '?', sizeof(room));
    char* const end = PlainValue(value).write(room);
    EXPECT_EQ(std::string(room, end), fmt::format("{}", value));
    EXPECT_EQ(room[number_room], '?') << value;
  };
  check(std::numeric_limits<long long>::min());
  check(std::numeric_limits<unsigned long long>::max());
  for (const double value :
       {-2.2250738585072014e-308, -std::numeric_limits<double>::max(), -123456789.123456, -0.000123,
        -999999999.0, std::numeric_limits<double>::quiet_NaN()}) {
    check(value);
  }
}

TEST(PlainMessage, WritesIntegersAsFmtDoes) {
  const auto check = [](auto value) { ASSERT_EQ(plain("{}", value), fmt::format("{}", value)); };
  for (int value = -2'000; value <= 2'000; ++value) check(value);
  std::mt19937_64 random(7);  // NOLINT: the same numbers in each run
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t bits = random() >> (i % 64);
    check(bits);
    check(static_cast<std::int64_t>(bits));
    check(-static_cast<std::int64_t>(bits >> 1));
  }
  for (std::uint64_t power = 1; power <= 1'000'000'000'000; power *= 10) {
    check(power - 1);
    check(power);
    check(power + 1);
  }
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

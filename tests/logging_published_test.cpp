// The value that loggers and handlers read without a lock.

#include "../src/logging/published.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "gate.hpp"

#if defined(__linux__)
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

namespace conc::logging::detail {
namespace {

#if defined(__linux__)
// With CONC_TEST_SANDBOX in the environment, all of this runs as in a sandbox that does not let a
// process call membarrier(), so that the readers have to pay.
[[maybe_unused]] const bool sandbox = [] {
  if (std::getenv("CONC_TEST_SANDBOX") == nullptr) return false;
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{std::size(rules), rules};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) {
    std::abort();
  }
  return true;
}();
#endif

std::atomic<int> alive{0};

// Counts those that exist, and knows when it does not.
class Counted {
 public:
  explicit Counted(int number) : number_(number), check_(~number) { ++alive; }
  Counted(const Counted& other) : number_(other.number_), check_(other.check_) { ++alive; }
  ~Counted() {
    check_ = 0;
    --alive;
  }
  Counted& operator=(const Counted&) = default;
  bool operator==(const Counted&) const = default;
  [[nodiscard]] bool sound() const { return check_ == ~number_; }

 private:
  int number_;
  int check_;
};

using Numbers = std::vector<std::shared_ptr<const Counted>>;

void put(Published<Numbers>& numbers, int number) {
  numbers.update([&](Numbers& next) {
    next = {std::make_shared<const Counted>(number)};
    return true;
  });
}

TEST(Published, BeginsEmpty) {
  Published<Numbers> numbers;
  EXPECT_TRUE(numbers.empty());
  EXPECT_FALSE(numbers.read());
}

TEST(Published, ReaderKeepsTheVersionItGot) {
  Published<Numbers> numbers;
  put(numbers, 1);
  {
    const auto first = numbers.read();
    put(numbers, 2);
    const auto second = numbers.read();
    EXPECT_EQ(alive, 2);
    EXPECT_TRUE((*first)[0]->sound());
    EXPECT_TRUE((*second)[0]->sound());
    EXPECT_NE(&*first, &*second);
  }
  EXPECT_EQ(alive, 1);
}

TEST(Published, VersionDiesWithItsLastReader) {
  Published<Numbers> numbers;
  put(numbers, 1);
  auto first = std::make_unique<Published<Numbers>::Reading>(numbers.read());
  auto second = std::make_unique<Published<Numbers>::Reading>(numbers.read());
  numbers.update([](Numbers& next) {
    next.clear();
    return true;
  });
  EXPECT_TRUE(numbers.empty());
  EXPECT_EQ(alive, 1);
  first.reset();
  EXPECT_EQ(alive, 1);
  second.reset();
  EXPECT_EQ(alive, 0);
}

TEST(Published, ReaderThatIsGoneBeforeTheVersionLeavesNothing) {
  Published<Numbers> numbers;
  put(numbers, 1);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(numbers.read());
  put(numbers, 2);
  EXPECT_EQ(alive, 1);
}

TEST(Published, OneThreadMayHaveManyReadings) {
  Published<Numbers> numbers;
  {
    std::vector<std::unique_ptr<Published<Numbers>::Reading>> readings;
    for (int i = 0; i < 40; ++i) {
      put(numbers, i);
      readings.push_back(std::make_unique<Published<Numbers>::Reading>(numbers.read()));
    }
    EXPECT_EQ(alive, 40);
    for (const auto& reading : readings) EXPECT_TRUE((**reading)[0]->sound());
    for (std::size_t i = 0; i < 40; i += 2) readings[i].reset();
    EXPECT_EQ(alive, 20);
  }
  EXPECT_EQ(alive, 1);
}

// Neither the writer nor the reader leaves it to the other.
TEST(Published, VersionReplacedWhileItsReaderLeavesIsFreed) {
  Published<Numbers> numbers;
  std::atomic<int> arrived{0};
  const auto meet = [&](int round) {
    ++arrived;
    while (arrived < 2 * round) std::this_thread::yield();
  };
  test::together(2, [&](std::size_t who) {
    for (int round = 1; round <= 3'000; ++round) {
      if (who == 0) put(numbers, 2 * round);
      meet(3 * round - 2);
      if (who == 0) {
        put(numbers, 2 * round + 1);
      } else {
        for (int i = 0; i < round % 50; ++i) ASSERT_TRUE((*numbers.read())[0]->sound());
      }
      meet(3 * round - 1);
      ASSERT_EQ(alive, 1);
      meet(3 * round);
    }
  });
}

TEST(Published, ChangeThatIsRefusedOrThrowsChangesNothing) {
  Published<Numbers> numbers;
  put(numbers, 1);
  numbers.update([](Numbers& next) {
    next.clear();
    return false;
  });
  EXPECT_THROW(numbers.update([](Numbers& next) -> bool {
    next.clear();
    throw std::runtime_error("why");
  }),
               std::runtime_error);
  EXPECT_FALSE(numbers.empty());
  EXPECT_EQ(alive, 1);
}

TEST(Published, ReadersAndWritersAtOnceSeeWholeVersionsAndLeaveNone) {
  {
    Published<Numbers> numbers;
    std::atomic<int> writing{2};
    test::together(5, [&](std::size_t who) {
      if (who < 2) {
        for (int i = 0; i < 2'000; ++i) {
          if (i % 3 == 0) {
            numbers.update([](Numbers& next) {
              next.clear();
              return true;
            });
          } else {
            put(numbers, i);
          }
        }
        --writing;
        return;
      }
      while (writing != 0) {
        const auto outer = numbers.read();
        const auto inner = numbers.read();
        ASSERT_TRUE(!outer || (*outer)[0]->sound());
        ASSERT_TRUE(!inner || (*inner)[0]->sound());
      }
    });
  }
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace conc::logging::detail

#include <conc/detail/task.hpp>

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <utility>

#include "allocations.hpp"

namespace {

using conc::detail::Task;
using conc::test::allocations;

TEST(Task, CallsWhatItHolds) {
  int calls = 0;
  Task task([&calls] { ++calls; });
  ASSERT_TRUE(task);
  task();
  EXPECT_EQ(calls, 1);
}

TEST(Task, IsEmptyAtFirstAndAfterAMove) {
  Task none;
  EXPECT_FALSE(none);
  Task some([] {});
  none = std::move(some);
  EXPECT_TRUE(none);
  EXPECT_FALSE(some);  // NOLINT(bugprone-use-after-move): what it promises
}

TEST(Task, HoldsSixtyFourBytesWithoutAnAllocation) {
  std::array<char, 64> bytes{};
  const auto before = allocations.load();
  Task task([bytes] { static_cast<void>(bytes); });
  Task other(std::move(task));
  other();
  EXPECT_EQ(allocations.load(), before);
}

TEST(Task, HoldsSixtyFiveBytesWithOneAllocation) {
  std::array<char, 65> bytes{};
  const auto before = allocations.load();
  Task task([bytes] { static_cast<void>(bytes); });
  Task other(std::move(task));
  other();
  EXPECT_EQ(allocations.load(), before + 1);
}

TEST(Task, TakesACallableThatCannotBeCopied) {
  int got = 0;
  Task task([p = std::make_unique<int>(7), &got] { got = *p; });
  Task other(std::move(task));
  other();
  EXPECT_EQ(got, 7);
}

TEST(Task, DestroysTheCallableOnceHoweverOftenItIsMoved) {
  const auto alive = std::make_shared<int>(0);
  {
    Task first([alive] {});
    EXPECT_EQ(alive.use_count(), 2);
    Task second(std::move(first));
    Task third;
    third = std::move(second);
    EXPECT_EQ(alive.use_count(), 2);
    third.reset();
    EXPECT_EQ(alive.use_count(), 1);
  }
  EXPECT_EQ(alive.use_count(), 1);
}

struct MoveThrows {
  MoveThrows() = default;
  MoveThrows(MoveThrows&&) noexcept(false) { throw std::runtime_error("move"); }
  MoveThrows(const MoveThrows&) {}
  void operator()() const {}
};

TEST(Task, MovesWithoutThrowingEvenIfTheCallableCannot) {
  const MoveThrows callable;
  Task task(callable);
  Task other(std::move(task));
  EXPECT_TRUE(other);
  EXPECT_NO_THROW(other());
}

TEST(Task, LetsTheExceptionOfTheCallOut) {
  Task task([] { throw std::logic_error("out"); });
  EXPECT_THROW(task(), std::logic_error);
}

}  // namespace

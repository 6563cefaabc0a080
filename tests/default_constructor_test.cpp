// What can be made without arguments can be left out where an aggregate or an array is initialized.

#include <conc/bounded_semaphore.hpp>
#include <conc/condition.hpp>
#include <conc/event.hpp>
#include <conc/lifo_queue.hpp>
#include <conc/lock.hpp>
#include <conc/priority_queue.hpp>
#include <conc/queue.hpp>
#include <conc/rlock.hpp>
#include <conc/semaphore.hpp>

#include <gtest/gtest.h>

#include <array>

namespace {

// Ready before any code runs.
constinit conc::Lock global_lock;
constinit conc::RLock global_rlock;
constinit conc::Event global_event;
constinit conc::Semaphore global_semaphore;
constinit conc::BoundedSemaphore global_bounded_semaphore;

template <class T>
class DefaultConstructor : public testing::Test {};

using Classes = testing::Types<conc::Lock, conc::RLock, conc::Event, conc::Condition,
                               conc::Semaphore, conc::BoundedSemaphore, conc::Queue<int>,
                               conc::LifoQueue<int>, conc::PriorityQueue<int>>;
TYPED_TEST_SUITE(DefaultConstructor, Classes);

template <class T>
struct Aggregate {
  T object;
  int number = 0;
};

TYPED_TEST(DefaultConstructor, MayBeLeftOutInAnAggregate) {
  const Aggregate<TypeParam> all_left_out{};
  EXPECT_EQ(all_left_out.object.name(), nullptr);
  const Aggregate<TypeParam> in_braces{{}, 5};
  EXPECT_EQ(in_braces.object.name(), nullptr);
}

TYPED_TEST(DefaultConstructor, MayBeLeftOutInAnArray) {
  const std::array<TypeParam, 3> array{};
  for (const TypeParam& object : array) EXPECT_EQ(object.name(), nullptr);
  const TypeParam plain[2] = {};
  EXPECT_EQ(plain[1].name(), nullptr);
}

TEST(DefaultConstructor, OfASemaphoreGivesItOnePermit) {
  EXPECT_EQ(conc::Semaphore().permits(), 1);
  EXPECT_EQ(conc::BoundedSemaphore().bound(), 1);
}

TEST(DefaultConstructor, OfAQueueSetsNoBound) {
  EXPECT_EQ(conc::Queue<int>().maxsize(), 0U);
  EXPECT_EQ(conc::LifoQueue<int>().maxsize(), 0U);
  EXPECT_EQ(conc::PriorityQueue<int>().maxsize(), 0U);
}

}  // namespace

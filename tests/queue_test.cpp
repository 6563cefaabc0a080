// What all three queues do alike is one typed test, AnyQueue; what is Queue's own, its order, comes
// after it.
#include <conc/errors.hpp>
#include <conc/lifo_queue.hpp>
#include <conc/priority_queue.hpp>
#include <conc/queue.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <numeric>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/select.h>

#include "eventually.hpp"
#include "gate.hpp"

namespace {

using namespace std::chrono_literals;
using conc::LifoQueue;
using conc::PriorityQueue;
using conc::Queue;
using conc::test::eventually;
using conc::test::eventually_waiting;
using conc::test::together;
using conc::test::waiters;
using Clock = conc::Until::Clock;

static_assert(std::input_iterator<Queue<int>::iterator>);
static_assert(std::ranges::input_range<Queue<std::unique_ptr<int>>>);
static_assert(!std::is_copy_constructible_v<Queue<int>>);

struct NotAssignable {
  const int value;
};
static_assert(std::input_iterator<Queue<NotAssignable>::iterator>);

struct Fifo {
  template <class T>
  using Of = Queue<T>;
};
struct Lifo {
  template <class T>
  using Of = LifoQueue<T>;
};
struct Priority {
  template <class T>
  using Of = PriorityQueue<T>;
};

template <class Kind>
class AnyQueue : public testing::Test {
 protected:
  template <class T>
  using Of = typename Kind::template Of<T>;
};
using Kinds = testing::Types<Fifo, Lifo, Priority>;
TYPED_TEST_SUITE(AnyQueue, Kinds);

// ---- Putting and getting

TYPED_TEST(AnyQueue, IsEmptyAtFirst) {
  typename TestFixture::template Of<int> queue(3, "jobs");
  EXPECT_EQ(queue.size(), 0U);
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.full());
  EXPECT_EQ(queue.maxsize(), 3U);
  EXPECT_STREQ(queue.name(), "jobs");
  EXPECT_EQ(queue.try_get(), std::nullopt);
}

TYPED_TEST(AnyQueue, MaxsizeZeroIsNeverFull) {
  typename TestFixture::template Of<int> queue;
  EXPECT_EQ(queue.maxsize(), 0U);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(queue.try_put(i));
  EXPECT_FALSE(queue.full());
  EXPECT_EQ(queue.size(), 1000U);
}

TYPED_TEST(AnyQueue, IsFullAtMaxsize) {
  typename TestFixture::template Of<int> queue(2);
  queue.put(1);
  queue.put(2);
  EXPECT_TRUE(queue.full());
  EXPECT_FALSE(queue.try_put(3));
  EXPECT_FALSE(queue.try_put(3, 1ms));
  EXPECT_THROW(queue.put(3, conc::at_once), conc::Full);
  EXPECT_THROW(queue.put(3, 1ms), conc::Full);
  EXPECT_EQ(queue.size(), 2U);
  static_cast<void>(queue.get());
  EXPECT_TRUE(queue.try_put(3));
}

TYPED_TEST(AnyQueue, GetFromAnEmptyOneThrowsEmptyInTime) {
  typename TestFixture::template Of<int> queue(0, "jobs");
  EXPECT_THROW(static_cast<void>(queue.get(conc::at_once)), conc::Empty);
  const auto start = Clock::now();
  EXPECT_THROW(static_cast<void>(queue.get(20ms)), conc::Empty);
  EXPECT_GE(Clock::now() - start, 20ms);
  EXPECT_EQ(queue.try_get(20ms), std::nullopt);
  EXPECT_GE(Clock::now() - start, 40ms);
  try {
    static_cast<void>(queue.get(conc::at_once));
    FAIL();
  } catch (const conc::Empty& error) {
    EXPECT_NE(std::string(error.what()).find("\"jobs\""), std::string::npos) << error.what();
  }
}

TYPED_TEST(AnyQueue, SuccessBeatsStopBeatsTimeout) {
  typename TestFixture::template Of<int> queue(1);
  std::stop_source source;
  source.request_stop();
  const std::stop_token token = source.get_token();
  queue.put(1, token);
  EXPECT_THROW(queue.put(2, token), conc::Stopped);
  EXPECT_THROW(queue.put(2, {0ms, token}), conc::Stopped);
  EXPECT_FALSE(queue.try_put(2, token));
  EXPECT_EQ(queue.get({-1h, token}), 1);
  EXPECT_THROW(static_cast<void>(queue.get(token)), conc::Stopped);
  EXPECT_THROW(static_cast<void>(queue.get({0ms, token})), conc::Stopped);
  EXPECT_EQ(queue.try_get(token), std::nullopt);
}

TYPED_TEST(AnyQueue, TryPutThatFailsLeavesTheItemWithTheCaller) {
  typename TestFixture::template Of<std::unique_ptr<int>> queue(1);
  queue.put(std::make_unique<int>(1));
  auto item = std::make_unique<int>(2);
  EXPECT_FALSE(queue.try_put(std::move(item)));
  ASSERT_NE(item, nullptr);
  EXPECT_THROW(queue.put(std::move(item), 1ms), conc::Full);
  ASSERT_NE(item, nullptr);
  queue.shutdown();
  EXPECT_FALSE(queue.try_put(std::move(item)));
  EXPECT_THROW(queue.put(std::move(item)), conc::ShutDown);
  ASSERT_NE(item, nullptr);
  EXPECT_EQ(*item, 2);
}

TYPED_TEST(AnyQueue, PutOfAnLvalueCopies) {
  typename TestFixture::template Of<std::string> queue;
  const std::string item(40, 'x');
  std::string other(40, 'x');
  queue.put(item);
  queue.put(other, 1ms);
  EXPECT_TRUE(queue.try_put(other));
  EXPECT_EQ(other, item);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(queue.get(), item);
}

TYPED_TEST(AnyQueue, HoldsOverAlignedItems) {
  struct alignas(128) Wide {
    int value;
    bool operator<(const Wide& other) const { return value < other.value; }
  };
  typename TestFixture::template Of<Wide> queue;
  for (int i = 0; i < 100; ++i) queue.put(Wide{i});
  int sum = 0;
  while (const auto item = queue.try_get()) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&*item) % 128, 0U);
    sum += item->value;
  }
  EXPECT_EQ(sum, 4950);
}

// ---- Waiting

TYPED_TEST(AnyQueue, GetWaitsForAPut) {
  typename TestFixture::template Of<int> queue;
  std::thread getter([&] { EXPECT_EQ(queue.get(), 7); });
  ASSERT_TRUE(eventually_waiting(queue, 1));
  queue.put(7);
  getter.join();
  EXPECT_EQ(waiters(queue), 0U);
}

TYPED_TEST(AnyQueue, PutWaitsForAGet) {
  typename TestFixture::template Of<int> queue(1);
  queue.put(7);
  std::thread putter([&] { queue.put(7); });
  ASSERT_TRUE(eventually_waiting(queue, 1));
  EXPECT_EQ(queue.get(), 7);
  putter.join();
  EXPECT_EQ(queue.size(), 1U);
  EXPECT_EQ(waiters(queue), 0U);
}

TYPED_TEST(AnyQueue, StopEndsOnlyTheWaitsWithItsToken) {
  typename TestFixture::template Of<int> queue;
  std::stop_source source;
  const std::stop_token token = source.get_token();
  std::thread stopped([&] { EXPECT_THROW(static_cast<void>(queue.get(token)), conc::Stopped); });
  ASSERT_TRUE(eventually_waiting(queue, 1));
  std::thread other([&] { EXPECT_EQ(queue.get(), 1); });
  ASSERT_TRUE(eventually_waiting(queue, 2));
  source.request_stop();
  stopped.join();
  EXPECT_TRUE(eventually_waiting(queue, 1));
  queue.put(1);
  other.join();
}

TYPED_TEST(AnyQueue, StopEndsAWaitingPut) {
  typename TestFixture::template Of<int> queue(1);
  queue.put(1);
  std::stop_source source;
  std::thread putter(
      [&, token = source.get_token()] { EXPECT_THROW(queue.put(2, token), conc::Stopped); });
  ASSERT_TRUE(eventually_waiting(queue, 1));
  source.request_stop();
  putter.join();
  EXPECT_EQ(queue.get(), 1);
  EXPECT_EQ(queue.try_get(), std::nullopt);
  EXPECT_EQ(waiters(queue), 0U);
}

TYPED_TEST(AnyQueue, WaitingGettersAreServedInTheOrderInWhichTheyCame) {
  constexpr int count = 4;
  typename TestFixture::template Of<int> queue;
  std::vector<std::atomic<int>> got(count);
  std::vector<std::thread> getters;
  for (std::size_t i = 0; i < count; ++i) {
    getters.emplace_back([&, i] { got[i] = queue.get(); });
    ASSERT_TRUE(eventually_waiting(queue, i + 1));
  }
  for (std::size_t i = 0; i < count; ++i) {
    queue.put(static_cast<int>(i) + 1);
    ASSERT_TRUE(eventually([&] { return got[i] != 0; }));
    EXPECT_EQ(got[i], static_cast<int>(i) + 1);
  }
  for (std::thread& getter : getters) getter.join();
}

TYPED_TEST(AnyQueue, WaitingPuttersAreServedInTheOrderInWhichTheyCame) {
  constexpr int count = 4;
  typename TestFixture::template Of<int> queue(1);
  queue.put(0);
  std::vector<std::thread> putters;
  for (std::size_t i = 0; i < count; ++i) {
    putters.emplace_back([&, i] { queue.put(static_cast<int>(i) + 1); });
    ASSERT_TRUE(eventually_waiting(queue, i + 1));
  }
  for (int i = 0; i <= count; ++i) {
    ASSERT_TRUE(eventually([&] { return queue.size() == 1; }));
    EXPECT_EQ(queue.get(), i);
  }
  for (std::thread& putter : putters) putter.join();
}

// A waiter whose item is taken by a newcomer is put in front, and the next item is kept for it. The
// newcomer here may wait until the other was served: a call that may not wait could take what is
// kept.
TYPED_TEST(AnyQueue, AWaitingGetterIsOvertakenOnceAtMost) {
  int overtaken = 0;
  for (int round = 0; round < 200; ++round) {
    typename TestFixture::template Of<int> queue;
    std::atomic<bool> served = false;
    std::stop_source source;
    const std::stop_token token = source.get_token();
    std::thread getter([&] {
      EXPECT_EQ(queue.get(), 1);
      served = true;
      source.request_stop();
    });
    ASSERT_TRUE(eventually_waiting(queue, 1));
    int stolen = 0;
    while (!served) {
      queue.put(1);
      if (!queue.try_get(token)) break;
      ++stolen;
      ASSERT_TRUE(eventually([&] { return served || waiters(queue) == 1; }));
    }
    EXPECT_LE(stolen, 1);
    overtaken += stolen;
    getter.join();
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(waiters(queue), 0U);
  }
  this->RecordProperty("overtaken", overtaken);
}

TYPED_TEST(AnyQueue, AWaitingPutterIsOvertakenOnceAtMost) {
  int overtaken = 0;
  for (int round = 0; round < 200; ++round) {
    typename TestFixture::template Of<int> queue(1);
    queue.put(1);
    std::atomic<bool> served = false;
    std::stop_source source;
    const std::stop_token token = source.get_token();
    std::thread putter([&] {
      queue.put(1);
      served = true;
      source.request_stop();
    });
    ASSERT_TRUE(eventually_waiting(queue, 1));
    int stolen = 0;
    while (!served) {
      EXPECT_EQ(queue.get(), 1);
      if (!queue.try_put(1, token)) break;
      ++stolen;
      ASSERT_TRUE(eventually([&] { return served || waiters(queue) == 1; }));
    }
    EXPECT_LE(stolen, 1);
    overtaken += stolen;
    putter.join();
    EXPECT_EQ(queue.size(), 1U);
  }
  this->RecordProperty("overtaken", overtaken);
}

TYPED_TEST(AnyQueue, AWakeUpIsNeverEatenByAGetterThatGaveUp) {
  for (int round = 0; round < 300; ++round) {
    typename TestFixture::template Of<int> queue;
    std::optional<int> got;
    std::thread impatient([&] { got = queue.try_get(std::chrono::microseconds(round % 60)); });
    std::thread patient([&] {
      while (const auto item = queue.try_get(conc::forever)) queue.task_done();
    });
    queue.put(1);
    impatient.join();
    if (got) queue.task_done();
    queue.join();
    queue.shutdown();
    patient.join();
    EXPECT_EQ(waiters(queue), 0U);
  }
}

TYPED_TEST(AnyQueue, WaitNotEmptyLeavesTheItem) {
  typename TestFixture::template Of<int> queue;
  EXPECT_FALSE(queue.wait_not_empty(conc::at_once));
  EXPECT_FALSE(queue.wait_not_empty(1ms));
  std::thread one([&] { queue.wait_not_empty(); });
  std::thread two([&] { EXPECT_TRUE(queue.wait_not_empty(1h)); });
  ASSERT_TRUE(eventually_waiting(queue, 2));
  queue.put(1);
  one.join();
  two.join();
  EXPECT_EQ(queue.size(), 1U);
  EXPECT_TRUE(queue.wait_not_empty(conc::at_once));
  queue.shutdown();
  queue.wait_not_empty();
  EXPECT_EQ(queue.get(), 1);
  EXPECT_THROW(queue.wait_not_empty(), conc::ShutDown);
}

// ---- Many at once

TYPED_TEST(AnyQueue, PutManyAndGetManyMoveAllThatThereIs) {
  typename TestFixture::template Of<int> queue;
  std::vector<int> items(100);
  std::iota(items.begin(), items.end(), 0);
  EXPECT_EQ(queue.put_many(items), 100U);
  EXPECT_EQ(queue.size(), 100U);
  EXPECT_EQ(queue.get_many(30).size(), 30U);
  EXPECT_EQ(queue.get_many(1000).size(), 70U);
  EXPECT_TRUE(queue.get_many(0).empty());
  EXPECT_TRUE(queue.try_get_many(5).empty());
  EXPECT_THROW(static_cast<void>(queue.get_many(5, 1ms)), conc::Empty);
}

TYPED_TEST(AnyQueue, PutManyPutsWhatThereIsRoomForAndReturnsHowMuch) {
  typename TestFixture::template Of<std::unique_ptr<int>> queue(2);
  std::vector<std::unique_ptr<int>> items(3);
  for (auto& item : items) item = std::make_unique<int>(1);
  EXPECT_EQ(queue.put_many(items, conc::at_once), 2U);
  EXPECT_EQ(items[1], nullptr);
  EXPECT_NE(items[2], nullptr);
  EXPECT_EQ(queue.put_many(std::span(items).last(1), 1ms), 0U);
  EXPECT_NE(items[2], nullptr);
  std::thread putter([&] { EXPECT_EQ(queue.put_many(std::span(items).last(1)), 1U); });
  ASSERT_TRUE(eventually_waiting(queue, 1));
  EXPECT_EQ(queue.get_many(5).size(), 2U);
  putter.join();
  queue.shutdown();
  EXPECT_THROW(queue.put_many(items), conc::ShutDown);
  EXPECT_EQ(queue.get_many(5).size(), 1U);
  EXPECT_THROW(static_cast<void>(queue.get_many(5)), conc::ShutDown);
}

// ---- Unfinished work

TYPED_TEST(AnyQueue, JoinWaitsForATaskDoneForEveryItem) {
  typename TestFixture::template Of<int> queue;
  queue.join();
  queue.put(1);
  queue.put(2);
  EXPECT_FALSE(queue.join(conc::at_once));
  EXPECT_FALSE(queue.join(1ms));
  static_cast<void>(queue.get_many(2));
  std::thread joiner([&] { queue.join(); });
  ASSERT_TRUE(eventually_waiting(queue, 1));
  queue.task_done();
  EXPECT_EQ(waiters(queue), 1U);
  queue.task_done();
  joiner.join();
  EXPECT_TRUE(queue.join(conc::at_once));
}

TYPED_TEST(AnyQueue, JoinGivesUpWhenAStopIsRequested) {
  typename TestFixture::template Of<int> queue;
  queue.put(1);
  std::stop_source source;
  std::thread joiner([&, token = source.get_token()] { EXPECT_FALSE(queue.join(token)); });
  ASSERT_TRUE(eventually_waiting(queue, 1));
  source.request_stop();
  joiner.join();
  EXPECT_EQ(waiters(queue), 0U);
  queue.task_done();
  EXPECT_TRUE(queue.join(source.get_token())) << "success beats stop";
}

TYPED_TEST(AnyQueue, JoinEndsWithAnImmediateShutdownEvenIfMoreWasCalledDoneThanTaken) {
  typename TestFixture::template Of<int> queue;
  for (int i = 0; i < 3; ++i) queue.put(i);
  queue.task_done(2);
  std::thread joiner([&] { EXPECT_TRUE(queue.join(30s)); });
  ASSERT_TRUE(eventually_waiting(queue, 1));
  queue.shutdown(true);
  joiner.join();
  EXPECT_THROW(queue.task_done(), conc::UsageError);
}

TYPED_TEST(AnyQueue, TaskDoneOfSeveralIsAllOrNothing) {
  typename TestFixture::template Of<int> queue;
  for (int i = 0; i < 5; ++i) queue.put(i);
  queue.task_done(0);
  EXPECT_THROW(queue.task_done(6), conc::UsageError);
  queue.task_done(2);
  EXPECT_FALSE(queue.join(conc::at_once));
  EXPECT_THROW(queue.task_done(4), conc::UsageError);
  std::thread joiner([&] { queue.join(); });
  ASSERT_TRUE(eventually_waiting(queue, 1));
  queue.task_done(3);
  joiner.join();
  queue.task_done(0);
  EXPECT_TRUE(queue.join(conc::at_once));
}

TYPED_TEST(AnyQueue, TaskDoneTooOftenThrowsAndChangesNothing) {
  typename TestFixture::template Of<int> queue;
  EXPECT_THROW(queue.task_done(), conc::UsageError);
  queue.put(1);
  queue.task_done();
  EXPECT_THROW(queue.task_done(), conc::UsageError);
  queue.put(1);
  EXPECT_FALSE(queue.join(conc::at_once));
}

// ---- Shutdown

TYPED_TEST(AnyQueue, ShutdownRefusesPutsAndLetsGetsDrain) {
  typename TestFixture::template Of<int> queue;
  queue.put(1);
  queue.shutdown();
  queue.shutdown();
  EXPECT_THROW(queue.put(2), conc::ShutDown);
  EXPECT_THROW(queue.put(2, conc::at_once), conc::ShutDown);
  EXPECT_FALSE(queue.try_put(2));
  EXPECT_FALSE(queue.try_put(2, conc::forever));
  EXPECT_EQ(queue.get(), 1);
  EXPECT_THROW(static_cast<void>(queue.get()), conc::ShutDown);
  EXPECT_THROW(static_cast<void>(queue.get(conc::at_once)), conc::ShutDown);
  EXPECT_EQ(queue.try_get(), std::nullopt);
  EXPECT_EQ(queue.try_get(conc::forever), std::nullopt);
}

TYPED_TEST(AnyQueue, ImmediateShutdownDropsTheItemsAndReleasesJoin) {
  typename TestFixture::template Of<std::shared_ptr<int>> queue;
  const auto item = std::make_shared<int>(1);
  for (int i = 0; i < 3; ++i) queue.put(item);
  std::thread joiner([&] { queue.join(); });
  ASSERT_TRUE(eventually_waiting(queue, 1));
  queue.shutdown(true);
  joiner.join();
  EXPECT_EQ(item.use_count(), 1);
  EXPECT_TRUE(queue.empty());
  EXPECT_THROW(static_cast<void>(queue.get()), conc::ShutDown);
  EXPECT_THROW(queue.task_done(), conc::UsageError);
  queue.shutdown(true);
}

TYPED_TEST(AnyQueue, ImmediateShutdownMayBeCalledAgainAndAfterAPlainOne) {
  typename TestFixture::template Of<std::string> queue;
  queue.put(std::string(40, 'x'));
  queue.shutdown();
  EXPECT_EQ(queue.size(), 1U);
  for (int i = 0; i < 3; ++i) {
    queue.shutdown(true);
    EXPECT_TRUE(queue.empty());
    EXPECT_TRUE(queue.join(conc::at_once));
  }
  queue.shutdown();
  EXPECT_THROW(queue.put("late"), conc::ShutDown);
}

TYPED_TEST(AnyQueue, AConsumerWaitingInGetIsReleasedByShutdown) {
  for (const bool immediate : {false, true}) {
    typename TestFixture::template Of<int> queue;
    std::thread consumer([&] { EXPECT_THROW(static_cast<void>(queue.get()), conc::ShutDown); });
    ASSERT_TRUE(eventually_waiting(queue, 1));
    queue.shutdown(immediate);
    consumer.join();
    EXPECT_EQ(waiters(queue), 0U);
  }
}

TYPED_TEST(AnyQueue, ImmediateShutdownCountsWhatWasDroppedAndNoMore) {
  typename TestFixture::template Of<int> queue;
  queue.put(1);
  queue.put(2);
  static_cast<void>(queue.get());
  queue.shutdown();
  queue.shutdown(true);
  EXPECT_FALSE(queue.join(conc::at_once)) << "one item was got, and its work is not done";
  queue.task_done();
  EXPECT_TRUE(queue.join(conc::at_once));
}

TYPED_TEST(AnyQueue, ShutdownReleasesEveryoneWhoWaits) {
  for (const bool immediate : {false, true}) {
    typename TestFixture::template Of<int> empty;
    typename TestFixture::template Of<int> full(1);
    full.put(1);
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] { EXPECT_THROW(static_cast<void>(empty.get()), conc::ShutDown); });
      threads.emplace_back([&] { EXPECT_EQ(empty.try_get(1h), std::nullopt); });
      threads.emplace_back([&] { EXPECT_THROW(empty.wait_not_empty(), conc::ShutDown); });
      threads.emplace_back([&] { EXPECT_THROW(full.put(2), conc::ShutDown); });
      threads.emplace_back([&] { EXPECT_FALSE(full.try_put(2, 1h)); });
    }
    ASSERT_TRUE(eventually_waiting(empty, 6));
    ASSERT_TRUE(eventually_waiting(full, 4));
    empty.shutdown(immediate);
    full.shutdown(immediate);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(waiters(empty), 0U);
    EXPECT_EQ(waiters(full), 0U);
    EXPECT_EQ(full.size(), immediate ? 0U : 1U);
  }
}

TYPED_TEST(AnyQueue, RangeForConsumesUntilShutDownAndEmpty) {
  typename TestFixture::template Of<std::unique_ptr<int>> queue;
  std::atomic<int> sum = 0;
  std::vector<std::thread> consumers;
  for (int i = 0; i < 2; ++i) {
    consumers.emplace_back([&] {
      for (auto& item : queue) sum += *item;
    });
  }
  ASSERT_TRUE(eventually_waiting(queue, 2));
  for (int i = 1; i <= 100; ++i) queue.put(std::make_unique<int>(i));
  queue.shutdown();
  for (std::thread& consumer : consumers) consumer.join();
  EXPECT_EQ(sum, 5050);
  for (auto& item : queue) FAIL() << *item;
}

// ---- Items that misbehave

// Throws at the move that the fuse says; counts those alive.
struct Fragile {
  static inline std::atomic<int> fuse = -1;
  static inline std::atomic<int> alive = 0;

  explicit Fragile(int v) : value(v) { ++alive; }
  Fragile(Fragile&& other) : value(other.value) {
    if (fuse >= 0 && fuse-- == 0) throw std::runtime_error("broken");
    ++alive;
  }
  ~Fragile() { --alive; }
  bool operator<(const Fragile& other) const { return value < other.value; }

  int value;
};

TYPED_TEST(AnyQueue, AMoveThatThrowsLosesNothing) {
  {
    typename TestFixture::template Of<Fragile> queue;
    for (int i = 0; i < 100; ++i) {
      Fragile item(i);
      Fragile::fuse = 0;
      EXPECT_THROW(queue.put(std::move(item)), std::runtime_error);
      EXPECT_EQ(queue.size(), static_cast<std::size_t>(i));
      queue.put(std::move(item));
    }
    std::vector<bool> seen(100);
    for (int i = 0; i < 100; ++i) {
      Fragile::fuse = 0;
      EXPECT_THROW(static_cast<void>(queue.get()), std::runtime_error);
      Fragile::fuse = 0;
      EXPECT_THROW(static_cast<void>(queue.try_get()), std::runtime_error);
      EXPECT_EQ(queue.size(), static_cast<std::size_t>(100 - i));
      seen[static_cast<std::size_t>(queue.get().value)] = true;
    }
    EXPECT_EQ(std::ranges::count(seen, true), 100);
    for (int i = 0; i < 9; ++i) queue.put(Fragile(i));
    Fragile::fuse = 3;
    EXPECT_EQ(queue.get_many(9).size(), 3U);
    EXPECT_EQ(queue.size(), 6U);
    EXPECT_EQ(Fragile::alive, 6);
  }
  EXPECT_EQ(Fragile::alive, 0);
}

TYPED_TEST(AnyQueue, AGetThatThrowsLeavesItsItemToTheNextInLine) {
  typename TestFixture::template Of<Fragile> queue;
  std::atomic<int> thrown = 0;
  std::atomic<int> got = 0;
  std::vector<std::thread> getters;
  for (std::size_t i = 0; i < 2; ++i) {
    getters.emplace_back([&] {
      try {
        static_cast<void>(queue.get());
        ++got;
      } catch (const std::runtime_error&) {
        ++thrown;
      }
    });
  }
  ASSERT_TRUE(eventually_waiting(queue, 2));
  Fragile::fuse = 1;  // the first move is the put's
  queue.put(Fragile(1));
  for (std::thread& getter : getters) getter.join();
  EXPECT_EQ(thrown, 1);
  EXPECT_EQ(got, 1);
}

// Its destructor uses the queue, even that of the shell that a get leaves behind: there is no move,
// only a copy.
template <class Kind>
struct Nosy {
  using OwnQueue = typename Kind::template Of<Nosy>;

  OwnQueue* queue;
  std::atomic<int>* looks;

  Nosy(OwnQueue* q, std::atomic<int>* l) : queue(q), looks(l) {}
  Nosy(const Nosy&) = default;
  ~Nosy() {
    // Needs the queue's lock.
    if (!queue->join(conc::at_once)) ++*looks;
  }
  bool operator<(const Nosy&) const { return false; }
};

TYPED_TEST(AnyQueue, AnItemsDestructorMayUseTheQueue) {
  using Item = Nosy<TypeParam>;
  std::atomic<int> looks = 0;
  typename Item::OwnQueue queue;
  for (int i = 0; i < 40; ++i) queue.put(Item(&queue, &looks));
  for (int i = 0; i < 10; ++i) static_cast<void>(queue.get());
  static_cast<void>(queue.try_get());
  static_cast<void>(queue.get_many(4));
  EXPECT_GT(looks, 0);
  queue.shutdown(true);
  EXPECT_TRUE(queue.empty());
}

// The same, owned by what lies in the queue's slots.
TYPED_TEST(AnyQueue, TheDestructorOfWhatAnItemOwnsMayUseTheQueue) {
  struct Look {
    std::function<void()> look;
    ~Look() { look(); }
  };
  int looks = 0;
  typename TestFixture::template Of<std::unique_ptr<Look>> queue;
  const auto look = [&] {
    EXPECT_FALSE(queue.join(conc::at_once));
    ++looks;
  };
  for (int i = 0; i < 40; ++i) queue.put(std::unique_ptr<Look>(new Look{look}));
  static_cast<void>(queue.get());
  static_cast<void>(queue.try_get());
  static_cast<void>(queue.get_many(4));
  EXPECT_EQ(looks, 6);
  queue.put(std::unique_ptr<Look>(new Look{[&] {
    queue.shutdown();
    ++looks;
  }}));
  queue.shutdown(true);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(looks, 41);
}

struct Unaddressable {
  int value;
  void operator&() const = delete;
  bool operator<(const Unaddressable& other) const { return value < other.value; }
};
struct UnaddressableString : Unaddressable {
  std::string text = std::string(40, 'x');
};

TYPED_TEST(AnyQueue, TakesTheAddressOfNoItem) {
  typename TestFixture::template Of<Unaddressable> queue;
  typename TestFixture::template Of<UnaddressableString> cells;
  for (int i = 0; i < 20; ++i) {
    queue.put(Unaddressable{i});
    cells.put(UnaddressableString{{i}});
  }
  EXPECT_EQ(queue.get_many(2).size() + cells.get_many(2).size(), 4U);
  queue.shutdown();
  cells.shutdown();
  int sum = 0;
  for (auto& item : queue) sum += item.value;
  for (auto it = cells.begin(); it != cells.end(); ++it) sum += it->value + (*it).value;
  EXPECT_GT(sum, 0);
}

// ---- Several queues

TEST(Select, ReturnsTheFirstThatHasAnItem) {
  Queue<int> one;
  LifoQueue<std::string> two;
  PriorityQueue<int> three;
  EXPECT_EQ(conc::try_select(one, two, three), std::nullopt);
  EXPECT_THROW(conc::select(one, two, three, 1ms), conc::Empty);
  EXPECT_THROW(conc::select(one, two, three, conc::at_once), conc::Empty);
  three.put(1);
  EXPECT_EQ(conc::select(one, two, three), 2U);
  two.put("x");
  EXPECT_EQ(conc::select(one, two, three, 1h), 1U);
  EXPECT_EQ(conc::try_select(one, two, three), 1U);
  EXPECT_EQ(two.size(), 1U);
}

TEST(Select, WaitsForAnItemInAnyOfThem) {
  Queue<int> queues[3];
  for (std::size_t i = 0; i < 3; ++i) {
    std::thread selector([&] { EXPECT_EQ(conc::select(queues[0], queues[1], queues[2]), i); });
    for (auto& queue : queues) ASSERT_TRUE(eventually_waiting(queue, 1));
    queues[i].put(1);
    selector.join();
    for (auto& queue : queues) EXPECT_EQ(waiters(queue), 0U);
    static_cast<void>(queues[i].get());
  }
}

TEST(Select, EndsWhenAllAreShutDownAndEmpty) {
  Queue<int> one;
  Queue<int> two;
  std::thread selector([&] { EXPECT_THROW(conc::select(one, two), conc::ShutDown); });
  ASSERT_TRUE(eventually_waiting(two, 1));
  one.shutdown();
  ASSERT_TRUE(eventually_waiting(two, 1));
  two.shutdown();
  selector.join();
  EXPECT_EQ(conc::try_select(one, two, conc::forever), std::nullopt);
}

TEST(Select, IsStopped) {
  Queue<int> one;
  Queue<int> two;
  std::stop_source source;
  std::thread selector([&, token = source.get_token()] {
    EXPECT_THROW(conc::select(one, two, token), conc::Stopped);
  });
  ASSERT_TRUE(eventually_waiting(two, 1));
  source.request_stop();
  selector.join();
  EXPECT_EQ(waiters(one) + waiters(two), 0U);
}

TEST(Select, LeavesTheSystemsOwnAlone) {
  using namespace conc;
  ::timeval no_time{};
  EXPECT_EQ(select(0, nullptr, nullptr, nullptr, &no_time), 0);
}

TEST(Select, AllQueuesMayFireAtOnce) {
  for (int round = 0; round < 500; ++round) {
    Queue<int> queues[3];
    together(4, [&](std::size_t i) {
      if (i < 3) {
        queues[i].put(1);
        return;
      }
      for (int got = 0; got < 3; ++got) {
        const std::size_t at = conc::select(queues[0], queues[1], queues[2]);
        ASSERT_TRUE(queues[at].try_get().has_value());
      }
    });
    for (auto& queue : queues) EXPECT_EQ(waiters(queue), 0U);
  }
}

// ---- Queue's own

TEST(Queue, IsFirstInFirstOut) {
  Queue<int> queue;
  int next_in = 0;
  int next_out = 0;
  // Grows while the ring wraps around.
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 7; ++i) queue.put(next_in++);
    for (int i = 0; i < 5; ++i) ASSERT_EQ(queue.get(), next_out++);
  }
  for (const int item : queue.get_many(1000)) ASSERT_EQ(item, next_out++);
  EXPECT_EQ(next_out, next_in);
}

TEST(Queue, MayBeDestroyedRightAfterTheLastGet) {
  for (int round = 0; round < 2000; ++round) {
    auto queue = std::make_unique<Queue<std::string>>(static_cast<std::size_t>(round % 2));
    std::thread putter([&queue = *queue] { queue.put(std::string(40, 'x')); });
    static_cast<void>(queue->get());
    queue.reset();
    putter.join();
  }
}

TEST(Queue, MayBeDestroyedRightAfterJoin) {
  for (int round = 0; round < 2000; ++round) {
    auto queue = std::make_unique<Queue<int>>();
    queue->put(1);
    std::thread worker([&queue = *queue] {
      static_cast<void>(queue.get());
      queue.task_done();
    });
    queue->join();
    queue.reset();
    worker.join();
  }
}

TEST(Queue, MessagesNameTheQueue) {
  Queue<int> queue(1, "jobs");
  queue.put(1);
  try {
    queue.put(2, conc::at_once);
    FAIL();
  } catch (const conc::Full& error) {
    EXPECT_NE(std::string(error.what()).find("conc::Queue \"jobs\" is full"), std::string::npos);
  }
}

}  // namespace

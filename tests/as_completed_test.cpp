#include <conc/as_completed.hpp>
#include <conc/barrier.hpp>
#include <conc/errors.hpp>
#include <conc/event.hpp>
#include <conc/future.hpp>
#include <conc/promise.hpp>
#include <conc/thread_pool_executor.hpp>
#include <conc/wait.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <ranges>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "eventually.hpp"
#include "futures.hpp"
#include "gate.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Future;
using conc::Promise;
using conc::test::eventually_waiting;
using conc::test::futures_of;
using conc::test::state;
using conc::test::waiters;

static_assert(std::movable<conc::AsCompleted<int>>);
static_assert(std::ranges::input_range<conc::AsCompleted<int>>);

TEST(AsCompleted, YieldsFirstWhatIsDoneAndThenInTheOrderOfCompletion) {
  std::vector<Promise<int>> promises(4);
  const auto futures = futures_of(promises);
  promises[2].set_result(0);
  std::vector<Future<int>> order;
  int next = 3;
  for (const auto& future : conc::as_completed(futures)) {
    order.push_back(future);
    if (next == 3) promises[3].set_result(0);
    if (next == 2) futures[0].cancel();
    if (next == 1) promises[1].set_result(0);
    --next;
  }
  EXPECT_EQ(order, (std::vector{futures[2], futures[3], futures[0], futures[1]}));
}

TEST(AsCompleted, WaitsForTheNext) {
  std::vector<Promise<int>> promises(3);
  const auto futures = futures_of(promises);
  std::thread setter([&] {
    for (auto& promise : promises) {
      std::this_thread::yield();
      promise.set_result(1);
    }
  });
  int sum = 0;
  for (const auto& future : conc::as_completed(futures)) sum += future.result();
  EXPECT_EQ(sum, 3);
  setter.join();
}

TEST(AsCompleted, MeasuresTheTimeFromTheCall) {
  std::vector<Promise<int>> promises(2);
  const auto futures = futures_of(promises);
  promises[0].set_result(1);
  const auto begin = std::chrono::steady_clock::now();
  auto range = conc::as_completed(futures, 20ms);
  auto it = range.begin();
  EXPECT_EQ(*it, futures[0]);
  ++it;
  EXPECT_THROW(static_cast<void>(*it), conc::TimeoutError);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 20ms);
  promises[1].set_result(1);
  EXPECT_EQ(*it, futures[1]);
  ++it;
  EXPECT_TRUE(it == range.end());
}

TEST(AsCompleted, AStopEndsItAndItMayBeAskedAgain) {
  Promise<int> promise;
  const std::vector futures{promise.future()};
  std::stop_source source;
  auto range = conc::as_completed(futures, source.get_token());
  std::thread stopper([&] {
    EXPECT_TRUE(eventually_waiting(state(futures[0]), 1));
    source.request_stop();
  });
  EXPECT_THROW(static_cast<void>(*range.begin()), conc::Stopped);
  stopper.join();
  promise.set_result(1);
  EXPECT_EQ(*range.begin(), futures[0]);
}

TEST(AsCompleted, YieldsNoFutureAgainAfterTheTimeWasUp) {
  std::vector<Promise<int>> promises(2);
  const auto futures = futures_of(promises);
  promises[0].set_result(1);
  auto range = conc::as_completed(futures, conc::at_once);
  auto it = range.begin();
  EXPECT_EQ(*it, futures[0]);
  ++it;
  EXPECT_THROW(static_cast<void>(it == range.end()), conc::TimeoutError);
  EXPECT_THROW(static_cast<void>(*range.begin()), conc::TimeoutError);
  promises[1].set_result(1);
  std::vector<Future<int>> rest;
  for (const auto& future : range) rest.push_back(future);
  EXPECT_EQ(rest, (std::vector{futures[1]}));
  EXPECT_TRUE(range.begin() == range.end());
}

TEST(AsCompleted, ACancelledFutureIsYieldedAtOnce) {
  Promise<int> promise;
  const std::vector futures{promise.future()};
  std::thread canceller([&] {
    EXPECT_TRUE(eventually_waiting(state(futures[0]), 1));
    EXPECT_TRUE(futures[0].cancel());
  });
  for (const auto& future : conc::as_completed(futures)) EXPECT_TRUE(future.cancelled());
  canceller.join();
}

TEST(AsCompleted, KeepsNoFutureThatItHasHandedOut) {
  const auto alive = std::make_shared<int>(0);
  std::vector<Promise<std::shared_ptr<int>>> promises(2);
  auto futures = futures_of(promises);
  auto range = conc::as_completed(std::exchange(futures, {}));
  {
    Promise<std::shared_ptr<int>> first = std::move(promises[0]);
    first.set_result(alive);
  }
  auto it = range.begin();
  EXPECT_EQ(it->result(), alive);
  EXPECT_EQ(alive.use_count(), 2);
  promises[1].set_result(nullptr);
  ++it;
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(AsCompleted, KeepsNoFutureThatItHasHandedOutWhileItWaitsForTheNext) {
  const auto alive = std::make_shared<int>(0);
  std::vector<Promise<std::shared_ptr<int>>> promises(2);
  auto futures = futures_of(promises);
  auto range = conc::as_completed(std::exchange(futures, {}), conc::at_once);
  {
    Promise<std::shared_ptr<int>> first = std::move(promises[0]);
    first.set_result(alive);
  }
  auto it = range.begin();
  EXPECT_EQ(it->result(), alive);
  ++it;
  EXPECT_THROW(static_cast<void>(it == range.end()), conc::TimeoutError);
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(AsCompleted, RefusesAHandleToNothing) {
  EXPECT_THROW(static_cast<void>(conc::as_completed(std::vector<Future<int>>(1))),
               conc::UsageError);
}

TEST(AsCompleted, MayBeLeftEarly) {
  std::vector<Promise<int>> promises(3);
  const auto futures = futures_of(promises);
  promises[0].set_result(1);
  for (const auto& future : conc::as_completed(futures)) {
    EXPECT_EQ(future, futures[0]);
    break;
  }
  EXPECT_EQ(waiters(state(futures[1])), 0U);
  promises[1].set_result(1);
}

TEST(AsCompleted, IsReplacedByAnotherInTheMiddle) {
  std::vector<Promise<int>> first(3);
  std::vector<Promise<int>> second(2);
  const auto first_futures = futures_of(first);
  const auto second_futures = futures_of(second);
  first[0].set_result(1);
  auto range = conc::as_completed(first_futures);
  EXPECT_EQ(*range.begin(), first_futures[0]);
  auto other = conc::as_completed(second_futures, conc::at_once);
  second[1].set_result(1);
  EXPECT_EQ(*other.begin(), second_futures[1]);
  range = std::move(other);
  EXPECT_TRUE(other.begin() == other.end());
  EXPECT_EQ(waiters(state(first_futures[1])), 0U);
  EXPECT_EQ(waiters(state(second_futures[0])), 1U);
  auto it = range.begin();
  EXPECT_EQ(*it, second_futures[1]);
  ++it;
  EXPECT_THROW(static_cast<void>(*it), conc::TimeoutError);
  second[0].set_result(1);
  EXPECT_EQ(*range.begin(), second_futures[0]);
}

// clang 15 and older cannot compile the views of libstdc++.
#if !defined(__clang__) || __clang_major__ >= 16
TEST(AsCompleted, IsTheBeginningOfAPipeline) {
  std::vector<Promise<int>> promises(3);
  const auto futures = futures_of(promises);
  for (auto& promise : promises) promise.set_result(1);
  std::vector<Future<int>> order;
  for (const auto& future : conc::as_completed(futures) | std::views::take(2)) {
    order.push_back(future);
  }
  EXPECT_EQ(order, (std::vector{futures[0], futures[1]}));
}

TEST(AsCompleted, APipelineWaitsForNoMoreThanItTakes) {
  std::vector<Promise<int>> promises(3);
  const auto futures = futures_of(promises);
  promises[1].set_result(1);
  promises[2].set_result(2);
  int sum = 0;
  for (const auto& future : conc::as_completed(futures, conc::at_once) | std::views::take(2)) {
    sum += future.result();
  }
  EXPECT_EQ(sum, 3);
}
#endif

TEST(AsCompleted, WaitsWhenAFutureIsAskedFor) {
  std::vector<Promise<int>> promises(4);
  const auto futures = futures_of(promises);
  auto range = conc::as_completed(futures, conc::at_once);
  auto it = range.begin();
  EXPECT_THROW(static_cast<void>(it == range.end()), conc::TimeoutError);
  EXPECT_THROW(static_cast<void>(*it), conc::TimeoutError);
  EXPECT_THROW(++it, conc::TimeoutError);
  promises[2].set_result(2);
  promises[0].set_result(0);
  promises[3].set_result(3);
  EXPECT_EQ(*it, futures[2]);
  EXPECT_EQ(*it, futures[2]);
  ++it;
  ++it;  // one that was not asked for
  EXPECT_EQ(it->result(), 3);
  ++it;
  EXPECT_THROW(static_cast<void>(it == range.end()), conc::TimeoutError);
  promises[1].set_result(1);
  EXPECT_FALSE(it == range.end());
  ++it;
  EXPECT_TRUE(it == range.end());
}

TEST(AsCompleted, LeavingItRacesWithCompletion) {
  for (int round = 0; round < 200; ++round) {
    std::vector<Promise<int>> promises(8);
    const auto futures = futures_of(promises);
    conc::test::together(2, [&](std::size_t i) {
      if (i == 0) {
        for (auto& promise : promises) promise.set_result(1);
      } else {
        int seen = 0;
        for ([[maybe_unused]] const auto& future : conc::as_completed(futures)) {
          if (++seen == round % 9) break;
        }
      }
    });
  }
}

TEST(AsCompleted, YieldsAFutureThatIsGivenTwiceOnce) {
  Promise<int> promise;
  promise.set_result(1);
  int seen = 0;
  for ([[maybe_unused]] const auto& f :
       conc::as_completed(std::vector{promise.future(), promise.future()})) {
    ++seen;
  }
  EXPECT_EQ(seen, 1);
}

// So that all of them are there, and free.
void begin_all_workers(conc::ThreadPoolExecutor& pool, std::size_t n) {
  conc::Barrier all(n);
  std::vector<conc::Future<void>> there;
  for (std::size_t i = 0; i < n; ++i) there.push_back(pool.submit([&all] { all.wait(); }));
  conc::wait(there);
  ASSERT_TRUE(conc::test::eventually([&] { return pool.stats().idle == n; }));
}

TEST(AsCompleted, InATaskOthersDoWhatIsQueuedIfTheyCan) {
  conc::Event ended("ended");
  conc::ThreadPoolExecutor pool(4);
  begin_all_workers(pool, 4);
  const auto outer = pool.submit([&] {
    const std::vector futures{pool.submit([&ended] { ended.wait(); }), pool.submit([] {})};
    for ([[maybe_unused]] const auto& future : conc::as_completed(futures)) ended.set();
  });
  EXPECT_TRUE(outer.wait(10s)) << "the task itself does what waits for it";
  ended.set();
}

TEST(AsCompleted, InTheOnlyWorkerItDoesTheTasks) {
  conc::ThreadPoolExecutor pool(1);
  const auto outer = pool.submit([&pool] {
    std::vector<Future<int>> futures;
    for (int i = 0; i < 5; ++i) futures.push_back(pool.submit([i] { return i; }));
    int sum = 0;
    for (const auto& future : conc::as_completed(futures)) sum += future.result();
    return sum;
  });
  EXPECT_EQ(outer.result(), 10);
}

// A user's destructor would hold up the thread that has completed another future.
TEST(AsCompleted, WhatItKeptAloneEndsInItsThread) {
  thread_local bool completes = false;
  struct Kept {
    explicit Kept(std::atomic<int>& ends) : strangers(&ends) {}
    Kept(Kept&& other) noexcept : strangers(std::exchange(other.strangers, nullptr)) {}
    ~Kept() {
      if (strangers != nullptr && completes) ++*strangers;
    }
    std::atomic<int>* strangers;
  };
  std::atomic<int> strangers = 0;
  for (int round = 0; round < 2000; ++round) {
    std::optional<Promise<Kept>> done(std::in_place);
    done->set_result(Kept(strangers));
    Promise<Kept> slow;
    std::optional range(conc::as_completed(std::vector{slow.future(), done->future()}));
    done.reset();
    conc::test::together(2, [&](std::size_t i) {
      completes = i == 0;
      if (completes) {
        slow.set_exception(std::make_exception_ptr(1));
      } else {
        range.reset();
      }
    });
  }
  EXPECT_EQ(strangers, 0);
}

TEST(AsCompleted, CostsTheSameForAnyNumberOfFutures) {
  for (const std::size_t n : {std::size_t{1}, std::size_t{8}, std::size_t{100}}) {
    std::vector<Promise<int>> promises(n);
    const auto futures = futures_of(promises);
    for (auto& promise : promises) promise.set_result(1);
    const auto before = conc::test::allocations.load();
    int sum = 0;
    for (const auto& future : conc::as_completed(futures)) sum += future.result();
    EXPECT_EQ(conc::test::allocations.load() - before, 7U);
    EXPECT_EQ(sum, static_cast<int>(n));
  }
}

}  // namespace

#include <conc/errors.hpp>
#include <conc/future.hpp>
#include <conc/promise.hpp>
#include <conc/wait.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "allocations.hpp"
#include "eventually.hpp"
#include "futures.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Future;
using conc::Promise;
using conc::ReturnWhen;
using conc::test::eventually_waiting;
using conc::test::futures_of;
using conc::test::state;
using conc::test::waiters;

// ---- wait

TEST(Wait, ReturnsWhenAllAreDone) {
  std::vector<Promise<int>> promises(3);
  const auto futures = futures_of(promises);
  std::thread setter([&] {
    for (auto& promise : promises) promise.set_result(1);
  });
  const auto result = conc::wait(futures);
  EXPECT_EQ(result.done, futures);
  EXPECT_TRUE(result.not_done.empty());
  setter.join();
}

TEST(Wait, ReturnsWhenTheFirstIsDone) {
  std::vector<Promise<int>> promises(3);
  const auto futures = futures_of(promises);
  std::thread setter([&] {
    EXPECT_TRUE(eventually_waiting(state(futures[2]), 1));
    promises[1].set_result(1);
  });
  const auto result = conc::wait(futures, ReturnWhen::first_completed);
  EXPECT_EQ(result.done, std::vector{futures[1]});
  EXPECT_EQ(result.not_done, (std::vector{futures[0], futures[2]}));
  setter.join();
  for (const auto& future : futures) EXPECT_EQ(waiters(state(future)), 0U);
}

TEST(Wait, ReturnsAtTheFirstExceptionWhichACancellationIsNot) {
  std::vector<Promise<int>> promises(4);
  const auto futures = futures_of(promises);
  std::thread setter([&] {
    promises[0].set_result(1);
    EXPECT_TRUE(futures[1].cancel());
    promises[2].set_exception(std::make_exception_ptr(1));
  });
  const auto result = conc::wait(futures, ReturnWhen::first_exception);
  EXPECT_NE(std::ranges::find(result.done, futures[2]), result.done.end());
  EXPECT_EQ(result.not_done, std::vector{futures[3]});
  setter.join();
}

TEST(Wait, ReturnsWhenAllAreDoneIfNoneHasAnException) {
  std::vector<Promise<int>> promises(3);
  const auto futures = futures_of(promises);
  std::thread setter([&] {
    promises[0].set_result(1);
    EXPECT_TRUE(futures[1].cancel());
    EXPECT_TRUE(eventually_waiting(state(futures[2]), 1));
    promises[2].set_result(1);
  });
  const auto result = conc::wait(futures, ReturnWhen::first_exception);
  EXPECT_EQ(result.done, futures);
  setter.join();
}

TEST(Wait, ACancelledFutureWakesIt) {
  for (const auto when :
       {ReturnWhen::all_completed, ReturnWhen::first_completed, ReturnWhen::first_exception}) {
    Promise<int> promise;
    const std::vector futures{promise.future()};
    std::thread canceller([&] {
      EXPECT_TRUE(eventually_waiting(state(futures[0]), 1));
      EXPECT_TRUE(futures[0].cancel());
    });
    EXPECT_EQ(conc::wait(futures, when).done, futures);
    canceller.join();
  }
}

TEST(Wait, AStopEndsItWithWhatIsDone) {
  std::vector<Promise<int>> promises(2);
  const auto futures = futures_of(promises);
  promises[1].set_result(1);
  std::stop_source source;
  const std::stop_token token = source.get_token();
  std::thread stopper([&] {
    EXPECT_TRUE(eventually_waiting(state(futures[0]), 1));
    source.request_stop();
  });
  const auto result = conc::wait(futures, ReturnWhen::all_completed, token);
  EXPECT_EQ(result.done, std::vector{futures[1]});
  EXPECT_EQ(result.not_done, std::vector{futures[0]});
  stopper.join();
  EXPECT_EQ(waiters(state(futures[0])), 0U);
}

TEST(Wait, TakesEachFormOfUntil) {
  Promise<int> promise;
  const std::vector futures{promise.future()};
  const auto gives_up = [&futures](conc::Until until) {
    for (const auto when : {ReturnWhen::all_completed, ReturnWhen::first_completed}) {
      EXPECT_EQ(conc::wait(futures, when, until).not_done, futures);
    }
  };
  std::stop_source stopped;
  stopped.request_stop();
  const std::stop_token stop = stopped.get_token();
  gives_up(1ms);
  gives_up(std::chrono::steady_clock::now() + 1ms);
  gives_up(std::chrono::system_clock::now() + 1ms);
  gives_up(conc::at_once);
  gives_up(stop);
  gives_up({1h, stop});
}

TEST(Wait, ACancelledFutureIsDone) {
  std::vector<Promise<int>> promises(2);
  const auto futures = futures_of(promises);
  EXPECT_TRUE(futures[0].cancel());
  promises[1].set_result(1);
  EXPECT_EQ(conc::wait(futures).done.size(), 2U);
}

TEST(Wait, CountsAFutureThatIsGivenTwiceOnce) {
  std::vector<Promise<int>> promises(2);
  const auto f = futures_of(promises);
  promises[0].set_result(1);
  const auto result =
      conc::wait(std::vector{f[1], f[0], f[1], f[0]}, ReturnWhen::all_completed, 1ms);
  EXPECT_EQ(result.done, std::vector{f[0]});
  EXPECT_EQ(result.not_done, std::vector{f[1]});
}

TEST(Wait, GivesUpAndSaysWhatIsDone) {
  std::vector<Promise<int>> promises(2);
  const auto futures = futures_of(promises);
  promises[1].set_result(1);
  for (const auto when : {ReturnWhen::all_completed, ReturnWhen::first_exception}) {
    const auto result = conc::wait(futures, when, 5ms);
    EXPECT_EQ(result.done, std::vector{futures[1]});
    EXPECT_EQ(result.not_done, std::vector{futures[0]});
  }
  EXPECT_EQ(waiters(state(futures[0])), 0U);
}

TEST(Wait, OfNothingReturnsAtOnce) {
  for (const auto when : {ReturnWhen::all_completed, ReturnWhen::first_completed}) {
    const auto result = conc::wait(std::vector<Future<int>>(), when);
    EXPECT_TRUE(result.done.empty());
  }
}

TEST(Wait, RefusesAHandleToNothing) {
  EXPECT_THROW(conc::wait(std::vector<Future<int>>(1)), conc::UsageError);
}

// ---- when_all, when_any

TEST(WhenAll, IsDoneWhenTheLastIs) {
  std::vector<Promise<int>> promises(3);
  const auto futures = futures_of(promises);
  const auto all = conc::when_all(futures);
  promises[2].set_result(1);
  EXPECT_TRUE(futures[0].cancel());
  EXPECT_FALSE(all.done());
  promises[1].set_exception(std::make_exception_ptr(1));
  EXPECT_EQ(all.result(), futures);
}

TEST(WhenAll, CancellingItLeavesTheOthersAlone) {
  Promise<int> promise;
  const auto all = conc::when_all(promise.future());
  EXPECT_TRUE(all.cancel());
  EXPECT_FALSE(promise.future().done());
  promise.set_result(1);
  EXPECT_TRUE(all.cancelled());
}

TEST(WhenAll, OfNothingIsDoneAtOnce) {
  EXPECT_TRUE(conc::when_all(std::vector<Future<int>>()).done());
}

TEST(WhenAll, TakesFuturesOfDifferentTypes) {
  Promise<int> number;
  Promise<std::string> text;
  const auto both = conc::when_all(number.future(), text.future()).then([](const auto& futures) {
    return std::get<1>(futures).result() + std::to_string(std::get<0>(futures).result());
  });
  text.set_result("n = ");
  number.set_result(3);
  EXPECT_EQ(both.result(), "n = 3");
}

TEST(WhenAny, SaysWhichWasFirst) {
  std::vector<Promise<int>> promises(3);
  const auto futures = futures_of(promises);
  const auto any = conc::when_any(futures);
  EXPECT_FALSE(any.done());
  promises[1].set_result(1);
  EXPECT_EQ(any.result().index, 1U);
  EXPECT_EQ(any.result().futures, futures);
  promises[0].set_result(1);
  EXPECT_EQ(any.result().index, 1U);
}

TEST(WhenAny, OfWhatIsDoneIsDoneAtOnce) {
  Promise<int> a;
  Promise<int> b;
  b.set_result(1);
  EXPECT_EQ(conc::when_any(a.future(), b.future()).result().index, 1U);
  EXPECT_THROW(conc::when_any(std::vector<Future<int>>()), std::invalid_argument);
}

TEST(WhenAny, CancellingItLeavesTheOthersAlone) {
  Promise<int> promise;
  const auto any = conc::when_any(promise.future());
  EXPECT_TRUE(any.cancel());
  EXPECT_FALSE(promise.future().done());
  promise.set_result(1);
  EXPECT_TRUE(any.cancelled());
}

// ---- Memory

TEST(WhenAll, CostsOneAllocationForEachFutureAndFive) {
  for (const std::size_t n : {std::size_t{1}, std::size_t{8}, std::size_t{100}}) {
    std::vector<Promise<int>> promises(n);
    const auto futures = futures_of(promises);
    const auto cost = [](auto make) {
      const auto before = conc::test::allocations.load();
      const auto future = make();
      return conc::test::allocations.load() - before;
    };
    EXPECT_EQ(cost([&futures] { return conc::when_all(futures); }), n + 5);
    EXPECT_EQ(cost([&futures] { return conc::when_any(futures); }), n + 5);
    EXPECT_EQ(cost([&] { return conc::when_all(futures[0], futures[0]); }), 6U);
    EXPECT_EQ(cost([&] { return conc::when_any(futures[0], futures[0]); }), 6U);
  }
}

}  // namespace

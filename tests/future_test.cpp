#include <conc/as_completed.hpp>
#include <conc/errors.hpp>
#include <conc/future.hpp>
#include <conc/hooks.hpp>
#include <conc/promise.hpp>
#include <conc/wait.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "eventually.hpp"
#include "gate.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Future;
using conc::Promise;
using conc::ReturnWhen;
using conc::test::eventually_waiting;
using conc::test::waiters;

template <class T>
conc::detail::FutureStateBase& state(const Future<T>& future) {
  return conc::detail::FutureAccess::state(future);
}

// What report() was told while the object lives.
class Reports {
 public:
  Reports() {
    list().clear();
    conc::set_report_hook([](const conc::Report& news) {
      const std::lock_guard lock(mutex());
      list().push_back(std::string(news.channel) + ": " + conc::describe(news.exception));
    });
  }
  ~Reports() { conc::set_report_hook(nullptr); }
  [[nodiscard]] std::vector<std::string> get() const {
    const std::lock_guard lock(mutex());
    return list();
  }

 private:
  static std::mutex& mutex() {
    static std::mutex m;
    return m;
  }
  static std::vector<std::string>& list() {
    static std::vector<std::string> l;
    return l;
  }
};

// ---- The handle

TEST(Future, IsAHandleToNothingWhenDefaultConstructed) {
  const Future<int> none;
  EXPECT_FALSE(none.valid());
  EXPECT_THROW(static_cast<void>(none.done()), conc::UsageError);
  EXPECT_THROW(none.result(), conc::UsageError);
  EXPECT_THROW(none.wait(), conc::UsageError);
  EXPECT_THROW(none.add_done_callback([](const Future<int>&) {}), conc::UsageError);
}

TEST(Future, CopiesAreHandlesToTheSameResult) {
  Promise<std::string> promise;
  const Future<std::string> a = promise.future();
  const Future<std::string> b = a;
  EXPECT_EQ(a, b);
  EXPECT_EQ(a, promise.future());
  promise.set_result("one");
  EXPECT_EQ(&a.result(), &b.result());
}

TEST(Future, IsOneWord) { EXPECT_EQ(sizeof(Future<std::string>), sizeof(void*)); }

TEST(Future, IsPendingThenRunningThenDone) {
  Promise<int> promise;
  const Future<int> future = promise.future();
  EXPECT_FALSE(future.running());
  EXPECT_FALSE(future.done());
  EXPECT_TRUE(promise.set_running_or_notify_cancel());
  EXPECT_TRUE(future.running());
  EXPECT_FALSE(future.done());
  promise.set_result(1);
  EXPECT_FALSE(future.running());
  EXPECT_TRUE(future.done());
  EXPECT_FALSE(future.cancelled());
}

// ---- Values

TEST(Future, GivesTheValueByReferenceAndAgain) {
  Promise<std::vector<int>> promise;
  const auto future = promise.future();
  promise.set_result(std::vector{1, 2, 3});
  static_assert(std::is_same_v<decltype(future.result()), const std::vector<int>&>);
  EXPECT_EQ(future.result().size(), 3U);
  EXPECT_EQ(future.result().size(), 3U);
}

TEST(Future, TakeMovesTheValueOutOnce) {
  Promise<std::unique_ptr<int>> promise;
  auto future = promise.future();
  const auto other = future;
  promise.set_result(std::make_unique<int>(5));
  const std::unique_ptr<int> value = std::move(future).take();
  EXPECT_EQ(*value, 5);
  EXPECT_THROW(static_cast<void>(Future(other).take()), conc::UsageError);
  EXPECT_THROW(other.result(), conc::UsageError);
  EXPECT_TRUE(other.done());
}

TEST(Future, HoldsAReferenceAndNothing) {
  int target = 1;
  Promise<int&> reference;
  reference.set_result(target);
  EXPECT_EQ(&reference.future().result(), &target);

  Promise<void> nothing;
  nothing.set_result();
  nothing.future().result();
  EXPECT_TRUE(nothing.future().done());
}

TEST(Future, DestroysItsValueWithTheLastHandle) {
  const auto alive = std::make_shared<int>(0);
  auto future = [&alive] {
    Promise<std::shared_ptr<int>> promise;
    promise.set_result(alive);
    return promise.future();
  }();
  EXPECT_EQ(alive.use_count(), 2);
  future = {};
  EXPECT_EQ(alive.use_count(), 1);
}

// ---- Exceptions

TEST(Future, ThrowsTheSameExceptionObjectEachTime) {
  Promise<int> promise;
  const auto future = promise.future();
  promise.set_exception(std::make_exception_ptr(std::out_of_range("far")));
  const void* seen[2] = {};
  for (const void*& address : seen) {
    try {
      future.result();
    } catch (const std::out_of_range& error) {
      address = &error;
    }
  }
  EXPECT_NE(seen[0], nullptr);
  EXPECT_EQ(seen[0], seen[1]);
  EXPECT_EQ(future.exception(), future.exception());
}

TEST(Future, HasNoExceptionWhenItHasAValue) {
  Promise<int> promise;
  promise.set_result(1);
  EXPECT_EQ(promise.future().exception(), nullptr);
}

TEST(Future, EndsWithBrokenPromiseWhenThePromiseIsDestroyed) {
  Future<int> future;
  {
    Promise<int> promise;
    future = promise.future();
  }
  EXPECT_THROW(future.result(), conc::BrokenPromise);
}

TEST(Future, AWaiterIsWokenWhenThePromiseIsDestroyed) {
  auto promise = std::make_unique<Promise<int>>();
  const auto future = promise->future();
  std::thread waiter([&] { EXPECT_THROW(future.result(), conc::BrokenPromise); });
  EXPECT_TRUE(eventually_waiting(state(future), 1));
  promise.reset();
  waiter.join();
}

// ---- Promise

TEST(Promise, MayBeSetOnce) {
  Promise<int> promise;
  promise.set_result(1);
  EXPECT_THROW(promise.set_result(2), conc::InvalidStateError);
  EXPECT_THROW(promise.set_exception(std::make_exception_ptr(1)), conc::InvalidStateError);
  EXPECT_THROW(static_cast<void>(promise.set_running_or_notify_cancel()), conc::InvalidStateError);
  EXPECT_EQ(promise.future().result(), 1);
}

TEST(Promise, BeginsOnce) {
  Promise<int> promise;
  EXPECT_TRUE(promise.set_running_or_notify_cancel());
  EXPECT_THROW(static_cast<void>(promise.set_running_or_notify_cancel()), conc::InvalidStateError);
}

TEST(Promise, IsToldOfACancellation) {
  Promise<int> promise;
  EXPECT_TRUE(promise.future().cancel());
  EXPECT_FALSE(promise.set_running_or_notify_cancel());
  EXPECT_THROW(promise.set_result(1), conc::InvalidStateError);
}

TEST(Promise, RefusesANullException) {
  Promise<int> promise;
  EXPECT_THROW(promise.set_exception(nullptr), std::invalid_argument);
  EXPECT_FALSE(promise.future().done());
}

struct CopyThrows {
  CopyThrows() = default;
  CopyThrows(const CopyThrows&) { throw std::runtime_error("copy"); }
};

TEST(Promise, IsUnchangedWhenTheValueCannotBeMade) {
  Promise<CopyThrows> promise;
  const CopyThrows value;
  EXPECT_THROW(promise.set_result(value), std::runtime_error);
  EXPECT_FALSE(promise.future().done());
  EXPECT_FALSE(promise.future().running());
  EXPECT_TRUE(promise.set_running_or_notify_cancel());
  EXPECT_THROW(promise.set_result(value), std::runtime_error);
  EXPECT_TRUE(promise.future().running());
  promise.set_exception(std::make_exception_ptr(1));
  EXPECT_THROW(promise.future().result(), int);
}

TEST(Promise, ThrowsWhenItWasMovedFrom) {
  Promise<int> promise;
  Promise<int> other(std::move(promise));
  EXPECT_THROW(promise.set_result(1), conc::UsageError);  // NOLINT(bugprone-use-after-move)
  EXPECT_THROW(static_cast<void>(promise.future()), conc::UsageError);
  other.set_result(2);
  EXPECT_EQ(other.future().result(), 2);
}

TEST(Promise, OnlyOneOfManySettersWins) {
  for (int round = 0; round < 200; ++round) {
    Promise<int> promise;
    std::atomic<int> won = 0;
    conc::test::together(3, [&](std::size_t i) {
      try {
        promise.set_result(static_cast<int>(i));
        ++won;
      } catch (const conc::InvalidStateError&) {
      }
    });
    EXPECT_EQ(won, 1);
    EXPECT_TRUE(promise.future().done());
  }
}

// ---- Waiting

TEST(Future, AWaiterIsWokenByTheResult) {
  Promise<int> promise;
  const auto future = promise.future();
  std::thread waiter([&] { EXPECT_EQ(future.result(), 9); });
  EXPECT_TRUE(eventually_waiting(state(future), 1));
  promise.set_result(9);
  waiter.join();
  EXPECT_EQ(waiters(state(future)), 0U);
}

TEST(Future, GivesUpWhenTheTimeIsUpAndCanBeWaitedForAgain) {
  Promise<int> promise;
  const auto future = promise.future();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THROW(future.result(20ms), conc::TimeoutError);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 20ms);
  EXPECT_THROW(static_cast<void>(future.exception(1ms)), conc::TimeoutError);
  EXPECT_FALSE(future.wait(1ms));
  EXPECT_FALSE(future.wait(conc::at_once));
  EXPECT_EQ(waiters(state(future)), 0U);
  promise.set_result(1);
  EXPECT_TRUE(future.wait(conc::at_once));
  EXPECT_EQ(future.result(conc::at_once), 1);
}

TEST(Future, AStopEndsTheWaitWithStopped) {
  Promise<int> promise;
  const auto future = promise.future();
  std::stop_source source;
  std::thread waiter([&] { EXPECT_THROW(future.result(source.get_token()), conc::Stopped); });
  EXPECT_TRUE(eventually_waiting(state(future), 1));
  source.request_stop();
  waiter.join();
  EXPECT_EQ(waiters(state(future)), 0U);
}

TEST(Future, AResultBeatsAStopBeatsATimeout) {
  Promise<int> promise;
  const auto future = promise.future();
  std::stop_source source;
  source.request_stop();
  EXPECT_THROW(future.result({0ms, source.get_token()}), conc::Stopped);
  promise.set_result(3);
  EXPECT_EQ(future.result({0ms, source.get_token()}), 3);
}

TEST(Future, AllWaitersAreWoken) {
  for (int round = 0; round < 100; ++round) {
    Promise<int> promise;
    const auto future = promise.future();
    std::atomic<int> got = 0;
    conc::test::together(4, [&](std::size_t i) {
      if (i == 0) {
        promise.set_result(1);
      } else {
        got += future.result();
      }
    });
    EXPECT_EQ(got, 3);
  }
}

TEST(Future, TheWaiterMayDropTheLastHandleWhileTheSetterIsStillOnItsWayOut) {
  for (int round = 0; round < 300; ++round) {
    auto promise = std::make_unique<Promise<int>>();
    auto future = promise->future();
    std::thread setter([p = std::move(promise)] { p->set_result(1); });
    EXPECT_EQ(future.result(), 1);
    future = {};
    setter.join();
  }
}

// ---- Cancelling

TEST(Future, CancelMakesItDoneAtOnce) {
  Promise<int> promise;
  const auto future = promise.future();
  EXPECT_TRUE(future.cancel());
  EXPECT_TRUE(future.cancelled());
  EXPECT_TRUE(future.done());
  EXPECT_TRUE(future.cancel());
  EXPECT_THROW(future.result(), conc::CancelledError);
  EXPECT_THROW(static_cast<void>(future.exception()), conc::CancelledError);
}

TEST(Future, CancelIsTooLateWhenItRunsOrIsDone) {
  Promise<int> promise;
  const auto future = promise.future();
  EXPECT_TRUE(promise.set_running_or_notify_cancel());
  EXPECT_FALSE(future.cancel());
  promise.set_result(1);
  EXPECT_FALSE(future.cancel());
  EXPECT_FALSE(future.cancelled());
  EXPECT_EQ(future.result(), 1);
}

TEST(Future, CancelWakesTheWaiters) {
  Promise<int> promise;
  const auto future = promise.future();
  std::thread waiter([&] { EXPECT_THROW(future.result(), conc::CancelledError); });
  EXPECT_TRUE(eventually_waiting(state(future), 1));
  EXPECT_TRUE(future.cancel());
  waiter.join();
}

// ---- Callbacks

TEST(Future, CallsItsCallbacksInTheOrderAdded) {
  Promise<int> promise;
  const auto future = promise.future();
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) {
    future.add_done_callback([&order, i](const Future<int>& done) {
      EXPECT_TRUE(done.done());
      order.push_back(i * done.result());
    });
  }
  promise.set_result(10);
  EXPECT_EQ(order, (std::vector{0, 10, 20, 30, 40}));
}

TEST(Future, CallsACallbackAtOnceWhenItIsDone) {
  Promise<int> promise;
  promise.set_result(4);
  int got = 0;
  promise.future().add_done_callback([&got](Future<int> done) { got = done.result(); });
  EXPECT_EQ(got, 4);
}

TEST(Future, CallsItsCallbacksInTheThreadThatCancels) {
  Promise<int> promise;
  const auto future = promise.future();
  std::thread::id caller;
  future.add_done_callback([&caller](const Future<int>& done) {
    EXPECT_TRUE(done.cancelled());
    caller = std::this_thread::get_id();
  });
  EXPECT_TRUE(future.cancel());
  EXPECT_EQ(caller, std::this_thread::get_id());
}

TEST(Future, CallbackThatThrowsIsReportedAndTheOthersStillRun) {
  const Reports reports;
  Promise<int> promise;
  const auto future = promise.future();
  int ran = 0;
  future.add_done_callback([&ran](const Future<int>&) { ++ran; });
  future.add_done_callback([](const Future<int>&) { throw std::runtime_error("mine"); });
  future.add_done_callback([&ran](const Future<int>&) { ++ran; });
  promise.set_result(1);
  EXPECT_EQ(ran, 2);
  future.add_done_callback([](const Future<int>&) { throw 5; });
  EXPECT_EQ(reports.get(), (std::vector<std::string>{"conc.future: std::runtime_error: mine",
                                                     "conc.future: int"}));
}

TEST(Future, ACallbackMayUseTheFutureAsItLikes) {
  Promise<int> promise;
  const auto future = promise.future();
  std::vector<int> order;
  future.add_done_callback([&](const Future<int>& done) {
    EXPECT_FALSE(done.cancel());
    done.wait();
    done.add_done_callback([&](const Future<int>&) { order.push_back(1); });
    Promise<int> other;
    EXPECT_TRUE(other.future().cancel());
    order.push_back(2);
  });
  promise.set_result(1);
  EXPECT_EQ(order, (std::vector{1, 2}));
}

TEST(Future, DestroysACallbackWhenItHasReturned) {
  const auto alive = std::make_shared<int>(0);
  Promise<int> promise;
  const auto future = promise.future();
  future.add_done_callback([alive](const Future<int>&) {});
  EXPECT_EQ(alive.use_count(), 2);
  promise.set_result(1);
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(Future, ACallbackThatIsAddedWhileItCompletesIsCalledOnce) {
  for (int round = 0; round < 300; ++round) {
    Promise<int> promise;
    const auto future = promise.future();
    std::atomic<int> calls = 0;
    conc::test::together(3, [&](std::size_t i) {
      if (i == 0) {
        promise.set_result(1);
      } else {
        future.add_done_callback([&calls](const Future<int>&) { ++calls; });
      }
    });
    EXPECT_TRUE(conc::test::eventually([&calls] { return calls == 2; }));
  }
}

// ---- then

TEST(Future, ThenMakesAFutureOfWhatTheCallReturns) {
  Promise<int> promise;
  const Future<std::string> text =
      promise.future().then([](const int& i) { return std::to_string(i); });
  EXPECT_FALSE(text.done());
  promise.set_result(12);
  EXPECT_EQ(text.result(), "12");
}

TEST(Future, ThenHandsOnAnExceptionWithoutACall) {
  Promise<int> promise;
  bool called = false;
  const auto next = promise.future().then([&called](int) { called = true; });
  const auto error = std::make_exception_ptr(std::runtime_error("first"));
  promise.set_exception(error);
  EXPECT_EQ(next.exception(), error);
  EXPECT_FALSE(called);
}

TEST(Future, ThenHandsOnACancellationWithoutACall) {
  Promise<int> promise;
  bool called = false;
  const auto next = promise.future().then([&called](int) { called = true; });
  EXPECT_TRUE(promise.future().cancel());
  EXPECT_TRUE(next.cancelled());
  EXPECT_FALSE(called);
}

TEST(Future, ThenGivesTheFutureToACallThatTakesIt) {
  Promise<int> promise;
  const auto next = promise.future().then([](const Future<int>& done) { return done.cancelled(); });
  EXPECT_TRUE(promise.future().cancel());
  EXPECT_TRUE(next.result());
}

TEST(Future, ThenEndsWithWhatTheCallThrows) {
  Promise<void> promise;
  const auto next = promise.future().then([]() -> int { throw std::runtime_error("then"); });
  promise.set_result();
  EXPECT_THROW(next.result(), std::runtime_error);
}

TEST(Future, CancellingAContinuationPreventsItsCall) {
  Promise<int> promise;
  const auto alive = std::make_shared<int>(0);
  const auto next = promise.future().then([alive](int i) { return i; });
  EXPECT_TRUE(next.cancel());
  EXPECT_EQ(alive.use_count(), 1);
  EXPECT_FALSE(promise.future().done());
  promise.set_result(1);
  EXPECT_TRUE(next.cancelled());
}

TEST(Future, AChainOfAHundredThousandContinuationsNeedsNoStack) {
  Promise<int> promise;
  Future<int> last = promise.future();
  for (int i = 0; i < 100'000; ++i) last = last.then([](int n) { return n + 1; });
  promise.set_result(0);
  EXPECT_EQ(last.result(), 100'000);
}

TEST(Future, ContinuationsRunDepthFirstInTheOrderAdded) {
  Promise<int> promise;
  const auto root = promise.future();
  std::vector<int> order;
  const auto child = root.then([&order](int) { order.push_back(1); });
  const auto grandchild = child.then([&order] { order.push_back(2); });
  root.add_done_callback([&order](const Future<int>&) { order.push_back(3); });
  promise.set_result(0);
  EXPECT_TRUE(grandchild.done());
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

// ---- wait

std::vector<Future<int>> futures_of(std::vector<Promise<int>>& promises) {
  std::vector<Future<int>> futures;
  for (auto& promise : promises) futures.push_back(promise.future());
  return futures;
}

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

// ---- as_completed

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
  EXPECT_THROW(++it, conc::TimeoutError);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 20ms);
  promises[1].set_result(1);
  ++it;
  EXPECT_EQ(*it, futures[1]);
  ++it;
  EXPECT_TRUE(it == range.end());
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

TEST(Future, CostsOneAllocation) {
  const auto before = conc::test::allocations.load();
  {
    Promise<int> promise;
    const auto future = promise.future();
    promise.set_result(1);
    EXPECT_EQ(future.result(), 1);
  }
  EXPECT_EQ(conc::test::allocations.load(), before + 1);
}

}  // namespace

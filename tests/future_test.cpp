#include <conc/errors.hpp>
#include <conc/event.hpp>
#include <conc/future.hpp>
#include <conc/promise.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "eventually.hpp"
#include "futures.hpp"
#include "gate.hpp"
#include "reports.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Future;
using conc::Promise;
using conc::test::eventually;
using conc::test::eventually_waiting;
using conc::test::Reports;
using conc::test::state;
using conc::test::waiters;

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

TEST(Future, IsAKeyOfUnorderedContainers) {
  std::vector<Promise<int>> promises(3);
  std::unordered_map<Future<int>, std::string> names;
  for (std::size_t i = 0; i < promises.size(); ++i) {
    names[promises[i].future()] = std::to_string(i);
  }
  names[{}] = "nothing";
  EXPECT_EQ(names.size(), 4U);
  for (std::size_t i = 0; i < promises.size(); ++i) {
    EXPECT_EQ(names.at(promises[i].future()), std::to_string(i));
  }
  EXPECT_EQ(names.at(Future<int>()), "nothing");
  EXPECT_TRUE(names.find(Promise<int>().future()) == names.end());
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

// What waits, and gives up at once or after a moment; and never does when the future is done.
TEST(Future, WaitsAsEachFormOfUntilSays) {
  std::stop_source stopped;
  stopped.request_stop();
  std::stop_source silent;
  const std::stop_token token = silent.get_token();
  const std::stop_token stop = stopped.get_token();
  const auto steady = [] { return std::chrono::steady_clock::now() + 2ms; };
  const auto wall = [] { return std::chrono::system_clock::now() + 2ms; };

  Promise<int> promise;
  const auto pending = promise.future();
  const auto times_out = [&pending](conc::Until until) {
    EXPECT_THROW(pending.result(until), conc::TimeoutError);
    EXPECT_THROW(static_cast<void>(pending.exception(until)), conc::TimeoutError);
    EXPECT_FALSE(pending.wait(until));
  };
  times_out(2ms);
  times_out(-1h);
  times_out(steady());
  times_out(wall());
  times_out(conc::at_once);
  times_out(std::optional(1ms));
  times_out({2ms, token});
  times_out({steady(), token});
  for (const conc::Until until :
       {conc::Until(stop), conc::Until(1h, stop), conc::Until(steady(), stop)}) {
    EXPECT_THROW(pending.result(until), conc::Stopped);
    EXPECT_THROW(static_cast<void>(pending.exception(until)), conc::Stopped);
    EXPECT_FALSE(pending.wait(until));
  }
  EXPECT_EQ(waiters(state(pending)), 0U);

  promise.set_result(7);
  for (const conc::Until until : {conc::Until(1h), conc::Until(-1h), conc::Until(steady()),
                                  conc::Until(wall()), conc::Until(std::nullopt), conc::forever,
                                  conc::at_once, conc::Until(stop), conc::Until(1h, token)}) {
    EXPECT_EQ(pending.result(until), 7);
    EXPECT_EQ(pending.exception(until), nullptr);
    EXPECT_TRUE(pending.wait(until));
  }
}

TEST(Future, WaitsForEverWithoutATime) {
  std::stop_source silent;
  const std::stop_token token = silent.get_token();
  for (const conc::Until until :
       {conc::forever, conc::Until(std::nullopt), conc::Until(token), conc::Until(1h)}) {
    Promise<int> promise;
    const auto future = promise.future();
    std::thread waiter([&] { EXPECT_EQ(future.result(until), 1); });
    EXPECT_TRUE(eventually_waiting(state(future), 1));
    promise.set_result(1);
    waiter.join();
  }
}

TEST(Future, OfACancelledOneEveryLookSaysSo) {
  Promise<int> promise;
  const auto future = promise.future();
  EXPECT_TRUE(future.cancel());
  EXPECT_TRUE(future.cancel());
  EXPECT_THROW(future.result(), conc::CancelledError);
  EXPECT_THROW(static_cast<void>(future.exception()), conc::CancelledError);
  EXPECT_THROW(static_cast<void>(future.exception(conc::at_once)), conc::CancelledError);
  EXPECT_THROW(static_cast<void>(Future(future).take()), conc::CancelledError);
  EXPECT_TRUE(future.wait(conc::at_once));
}

TEST(Future, TakeWaitsAndThrowsWhatTheWorkThrew) {
  Promise<std::unique_ptr<int>> promise;
  auto future = promise.future();
  std::thread taker([&future] { EXPECT_EQ(*std::move(future).take(), 8); });
  EXPECT_TRUE(eventually_waiting(state(promise.future()), 1));
  promise.set_result(std::make_unique<int>(8));
  taker.join();

  Promise<int> failing;
  failing.set_exception(std::make_exception_ptr(std::out_of_range("far")));
  EXPECT_THROW(static_cast<void>(failing.future().take()), std::out_of_range);
  EXPECT_THROW(failing.future().result(), std::out_of_range);
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

TEST(Future, CancelOutlivesTheLastHandleInTheCaptures) {
  struct Owner {
    Future<void> future;
  };
  struct Capture {
    Capture(std::shared_ptr<Owner> its_owner, conc::Event& in, conc::Event& out)
        : owner(std::move(its_owner)), entered(&in), leave(&out) {}
    Capture(Capture&&) = default;
    Capture& operator=(Capture&&) = delete;
    ~Capture() {
      if (owner == nullptr) return;
      entered->set();
      leave->wait();
    }
    std::shared_ptr<Owner> owner;
    conc::Event* entered;
    conc::Event* leave;
  };
  conc::Event entered;
  conc::Event leave;
  Promise<void> promise;
  auto owner = std::make_shared<Owner>();
  Future<void>& handle = owner->future;
  handle = promise.future().then([capture = Capture(owner, entered, leave)] {});
  owner.reset();
  std::thread canceller([&handle] { EXPECT_TRUE(handle.cancel()); });
  entered.wait();
  promise.set_result();  // the continuation finds that it was cancelled, and lets go
  leave.set();
  canceller.join();
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

TEST(Future, ACallbackMayWaitForAnotherFutureAndCompleteAThird) {
  Promise<int> first;
  Promise<int> second;
  Promise<int> third;
  const auto other = second.future();
  first.future().add_done_callback(
      [&](const Future<int>& done) { third.set_result(done.result() + other.result()); });
  std::thread setter([&first] { first.set_result(1); });
  EXPECT_TRUE(eventually_waiting(state(other), 1));
  EXPECT_FALSE(third.future().done());
  second.set_result(2);
  EXPECT_EQ(third.future().result(), 3);
  setter.join();
}

TEST(Future, WaitersAreWokenBeforeTheCallbacksAreCalled) {
  Promise<int> promise;
  const auto future = promise.future();
  std::atomic<bool> woken = false;
  std::thread waiter([&] {
    future.wait();
    woken = true;
  });
  EXPECT_TRUE(eventually_waiting(state(future), 1));
  future.add_done_callback(
      [&woken](const Future<int>&) { EXPECT_TRUE(eventually([&woken] { return woken.load(); })); });
  promise.set_result(1);
  waiter.join();
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

#include <conc/errors.hpp>
#include <conc/event.hpp>
#include <conc/executor.hpp>
#include <conc/inline_executor.hpp>
#include <conc/promise.hpp>
#include <conc/thread.hpp>
#include <conc/thread_pool_executor.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "eventually.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Event;
using conc::Executor;
using conc::Future;
using conc::InlineExecutor;
using conc::Promise;
using conc::ThreadPoolExecutor;
using conc::test::eventually;

// ---- submit, by every class of executors

template <class E>
class AnyExecutor : public testing::Test {
 protected:
  Executor& executor() { return executor_; }

 private:
  E executor_;
};
using Executors = testing::Types<InlineExecutor, ThreadPoolExecutor>;
TYPED_TEST_SUITE(AnyExecutor, Executors);

struct Account {
  int balance = 0;
  int deposit(int amount) { return balance += amount; }
  [[nodiscard]] int look() const { return balance; }
};

TYPED_TEST(AnyExecutor, CallsMemberFunctionsOfCopiesReferencesAndPointers) {
  Account account{10};
  EXPECT_EQ(this->executor().submit(&Account::deposit, account, 5).result(), 15);
  EXPECT_EQ(account.balance, 10);
  EXPECT_EQ(this->executor().submit(&Account::deposit, std::ref(account), 5).result(), 15);
  EXPECT_EQ(this->executor().submit(&Account::deposit, &account, 5).result(), 20);
  EXPECT_EQ(this->executor().submit(&Account::look, std::make_unique<Account>(account)).result(),
            20);
}

TYPED_TEST(AnyExecutor, GivesAStopTokenToACallThatTakesOneInFront) {
  EXPECT_TRUE(
      this->executor().submit([](std::stop_token stop) { return stop.stop_possible(); }).result());
  EXPECT_EQ(
      this->executor()
          .submit([](const std::stop_token& stop, std::string a,
                     int b) { return a + std::to_string(b) + (stop.stop_requested() ? "!" : ""); },
                  "n = ", 1)
          .result(),
      "n = 1");
}

TYPED_TEST(AnyExecutor, TakesResultsOfEveryKind) {
  int target = 0;
  EXPECT_EQ(&this->executor().submit([&target]() -> int& { return target; }).result(), &target);
  static_assert(std::is_void_v<decltype(this->executor().submit([] {}).result())>);
  this->executor().submit([] {}).result();
  auto mine = this->executor().submit([] { return std::make_unique<int>(3); });
  EXPECT_EQ(*std::move(mine).take(), 3);
  struct Fixed {  // neither copied nor moved
    explicit Fixed(int v) : value(v) {}
    Fixed(const Fixed&) = delete;
    Fixed& operator=(const Fixed&) = delete;
    int value;
  };
  const auto fixed = this->executor().submit([] { return Fixed(4); });
  EXPECT_EQ(fixed.result().value, 4);
}

TYPED_TEST(AnyExecutor, KeepsTheExceptionThatACallThrew) {
  const auto future = this->executor().submit([]() -> int { throw std::out_of_range("far"); });
  const auto copy = future;
  const std::exception_ptr error = future.exception();
  ASSERT_NE(error, nullptr);
  for (int i = 0; i < 2; ++i) {
    try {
      copy.result();
      ADD_FAILURE();
    } catch (const std::out_of_range&) {
      EXPECT_EQ(std::current_exception(), error);
    }
  }
}

TYPED_TEST(AnyExecutor, DestroysACallThatThrewBeforeTheFutureIsDone) {
  for (int i = 0; i < 50; ++i) {
    auto alive = std::make_shared<int>(0);
    const std::weak_ptr<int> watch = alive;
    const auto future = this->executor().submit([alive = std::move(alive)] { throw *alive; });
    EXPECT_NE(future.exception(), nullptr);
    EXPECT_TRUE(watch.expired());
  }
}

TYPED_TEST(AnyExecutor, DestroysACallBeforeItsCallbacksAreCalled) {
  auto alive = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = alive;
  Event handled;
  this->executor()
      .submit([alive = std::move(alive)] {})
      .add_done_callback([&](const Future<void>&) {
        EXPECT_TRUE(watch.expired());
        handled.set();
      });
  handled.wait();
}

TYPED_TEST(AnyExecutor, RefusesCallsAfterShutdownWhichMayBeRepeated) {
  this->executor().shutdown();
  this->executor().shutdown(false);
  this->executor().shutdown(true, true);
  EXPECT_THROW(this->executor().submit([] {}), conc::UsageError);
  EXPECT_THROW(this->executor().post([] {}), conc::UsageError);
  EXPECT_THROW(this->executor().submit_each([](int) {}, std::vector{1, 2}), conc::UsageError);
  EXPECT_THROW(this->executor().parallel_for(0, 3, [](int) {}), conc::UsageError);
}

// ---- submit_each

TEST(Executor, SubmitEachMakesAFutureForEachValue) {
  ThreadPoolExecutor pool(2);
  const auto futures = pool.submit_each([](int i) { return i + 1; }, std::vector{1, 2, 3});
  ASSERT_EQ(futures.size(), 3U);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(futures[static_cast<std::size_t>(i)].result(), i + 2);
  pool.shutdown();
  EXPECT_THROW(pool.submit_each([](int) {}, std::vector{1, 2}), conc::UsageError);
  EXPECT_TRUE(pool.submit_each([](int) {}, std::vector<int>()).empty());
}

TEST(Executor, SubmitEachCopiesAllBeforeTheFirstCallBegins) {
  struct Watched {
    int* copied;
    explicit Watched(int& c) : copied(&c) {}
    Watched(const Watched& other) : copied(other.copied) { ++*copied; }
  };
  InlineExecutor here;
  int copied = 0;
  const std::vector<Watched> values = [&copied] {
    std::vector<Watched> all;
    for (int i = 0; i < 3; ++i) all.emplace_back(copied);
    return all;
  }();
  copied = 0;
  std::vector<int> seen;
  here.submit_each([&seen](const Watched& x) { seen.push_back(*x.copied); }, values);
  EXPECT_EQ(seen, (std::vector{3, 3, 3}));
}

TEST(Executor, SubmitEachGivesEachCallAStopToken) {
  ThreadPoolExecutor pool(2);
  const auto futures = pool.submit_each(
      [](std::stop_token stop, int n) {
        while (!stop.stop_requested()) std::this_thread::yield();
        return n;
      },
      std::vector{1, 2});
  for (const auto& future : futures) {
    EXPECT_TRUE(eventually([&future] { return future.running(); }));
    EXPECT_FALSE(future.cancel());
  }
  EXPECT_EQ(futures[0].result() + futures[1].result(), 3);
}

// ---- What types may do

// Has an operator & of its own, and a destructor that may throw.
struct Odd {
  Odd() = default;
  Odd(Odd&&) = default;
  Odd& operator=(Odd&&) = default;
  ~Odd() noexcept(false) {}  // NOLINT
  void operator&() const = delete;
  template <class... Args>
  int operator()(Args&&...) const {
    return 1;
  }
};

TEST(Executor, CallsAndResultsMayHaveOperatorsAndDestructorsOfTheirOwn) {
  static Odd odd;
  InlineExecutor executor;
  EXPECT_EQ(executor.submit(Odd()).result(), 1);
  executor.post(Odd());
  executor.submit([] { return Odd(); }).wait();
  EXPECT_EQ(executor.submit([]() -> Odd& { return odd; }).result()(), 1);
  const auto one = executor.submit([] { return 1; });
  one.add_done_callback(Odd());
  EXPECT_EQ(one.then(Odd()).result(), 1);
  Promise<Odd> promise;
  promise.set_result(Odd());
  Promise<Odd&> to;
  to.set_result(odd);
  conc::Thread thread{Odd()};
}

TEST(Executor, PostCallsWhatCouldTakeAStopTokenWithoutOne) {
  InlineExecutor executor;
  std::size_t arguments = 0;
  executor.post([&arguments](auto&&... args) { arguments = sizeof...(args); }, 1);
  EXPECT_EQ(arguments, 1U);
  const auto with_token =
      executor.submit([](auto&&... args) { return sizeof...(args); }, 1).result();
  EXPECT_EQ(with_token, 2U);
}

// ---- parallel_for

TEST(Executor, ParallelForCallsEachIndexOnce) {
  ThreadPoolExecutor pool(3);
  for (const std::size_t grain : {0U, 1U, 7U, 1000U}) {
    std::vector<std::atomic<int>> calls(500);
    pool.parallel_for(
        0, 500, [&calls](int i) { ++calls[static_cast<std::size_t>(i)]; }, grain);
    for (const auto& count : calls) EXPECT_EQ(count, 1);
  }
  std::vector<int> numbers(100, 1);
  pool.parallel_for(numbers, [](int& n) { n *= 2; });
  EXPECT_EQ(std::accumulate(numbers.begin(), numbers.end(), 0), 200);
  std::atomic<int> sum = 0;
  pool.parallel_for(-5, 6, [&sum](int i) { sum += i; });
  EXPECT_EQ(sum, 0);
  pool.parallel_for(3, 3, [](int) { FAIL(); });
}

struct CalledOnce {
  void operator()(int) && {}
};
struct CalledAgain {
  void operator()(int n) & { sum += n; }
  int sum = 0;
};
template <class F, class... What>
constexpr bool can_repeat = requires(Executor& executor, F&& f, What&&... what) {
  executor.parallel_for(what..., std::forward<F>(f));
};
static_assert(!can_repeat<CalledOnce, int, int> && can_repeat<CalledAgain, int, int>);
static_assert(!can_repeat<CalledOnce, std::vector<int>> &&
              can_repeat<CalledAgain, std::vector<int>>);

TEST(Executor, ParallelForCallsAnLvalueAndTakesNoCallThatIsForOnce) {
  InlineExecutor executor;
  CalledAgain call;
  executor.parallel_for(0, 10, call);
  executor.parallel_for(std::vector{1, 2}, call);
  executor.parallel_for(0, 10, CalledAgain());
  EXPECT_EQ(call.sum, 48);
}

std::atomic<int> total = 0;
void add(int n) { total += n; }

TEST(Executor, ParallelForCallsAFunction) {
  total = 0;
  ThreadPoolExecutor pool(2);
  pool.parallel_for(0, 10, add);
  std::vector<int> numbers{1, 2};
  pool.parallel_for(numbers, add);
  EXPECT_EQ(total, 48);
}

TEST(Executor, ParallelForGoesFromOneEndOfAnIndexToTheOther) {
  InlineExecutor executor;
  constexpr auto least = std::numeric_limits<int>::min();
  constexpr auto most = std::numeric_limits<int>::max();
  // In two stretches: the second begins where no int is the distance from the first.
  std::vector<int> begun;
  try {
    executor.parallel_for(
        least, most,
        [&begun](int i) {
          begun.push_back(i);
          throw std::runtime_error("enough");
        },
        std::size_t{3'000'000'000});
  } catch (const std::runtime_error&) {
  }
  ASSERT_FALSE(begun.empty());
  EXPECT_EQ(begun.front(), least);
  EXPECT_EQ(std::count_if(begun.begin(), begun.end(), [](int i) { return i > 0; }),
            static_cast<std::ptrdiff_t>(begun.size()) - 1);
}

// The elements of some ranges only refer to the values.
TEST(Executor, SubmitEachCopiesTheValues) {
  conc::ThreadPoolExecutor pool(1);
  pool.pause();
  std::vector<bool> flags{true, false};
  const auto calls = pool.submit_each([](bool flag) { return flag; }, flags);
  flags.flip();
  pool.resume();
  EXPECT_TRUE(calls[0].result());
  EXPECT_FALSE(calls[1].result());
}

TEST(Executor, ParallelForTakesAnEndOfAnotherTypeIfItFits) {
  InlineExecutor executor;
  std::vector<int> numbers(10);
  int sum = 0;
  const auto add_up = [&sum](auto i) {
    static_assert(std::is_same_v<decltype(i), int>);
    sum += i;
  };
  executor.parallel_for(0, numbers.size(), add_up);
  EXPECT_EQ(sum, 45);
  executor.parallel_for(-1, 2L, add_up);
  EXPECT_EQ(sum, 45);
  enum { end = 3 };
  executor.parallel_for(0, end, add_up);
  EXPECT_EQ(sum, 48);
  executor.parallel_for(std::size_t{0}, 3, [&sum](std::size_t) { ++sum; });
  EXPECT_EQ(sum, 51);

  const auto never = [](auto) { FAIL(); };
  executor.parallel_for(3, std::size_t{2}, never);
  EXPECT_THROW(executor.parallel_for(0, std::size_t{3'000'000'000}, never), std::invalid_argument);
  EXPECT_THROW(executor.parallel_for(0, (std::size_t{1} << 32) + 5, never), std::invalid_argument);
  EXPECT_THROW(executor.parallel_for(0U, -1, never), std::invalid_argument);
  EXPECT_THROW(executor.parallel_for(0U, -1L, never), std::invalid_argument);
  EXPECT_THROW(executor.parallel_for(std::int8_t{0}, 200, never), std::invalid_argument);
}

TEST(Executor, ParallelForTakesAnyNumberOfWorkersAndAnyGrain) {
  total = 0;
  ThreadPoolExecutor pool(std::numeric_limits<std::ptrdiff_t>::max());
  pool.parallel_for(0, 3, add);
  pool.parallel_for(0, 3, add, std::numeric_limits<std::size_t>::max());
  EXPECT_EQ(total, 6);
}

// Runs each call in the submission, and says that it is many threads.
class ManyInOne final : public Executor {
 private:
  void enqueue(conc::detail::JobChain& jobs) override {
    while (!jobs.empty()) jobs.pop_front().run();
  }
  void close(bool, bool) override {}
  [[nodiscard]] std::size_t concurrency() const noexcept override { return 8; }
};

TEST(Executor, ParallelForMakesNoCallAfterOneThatThrewHoweverManyAreLeftOut) {
  ManyInOne executor;
  constexpr auto most = std::numeric_limits<std::size_t>::max();
  for (const std::size_t grain : {std::size_t{0}, std::size_t{1}, most / 4}) {
    int calls = 0;
    EXPECT_THROW(executor.parallel_for(
                     std::size_t{0}, most,
                     [&calls](std::size_t) {
                       ++calls;
                       throw std::runtime_error("enough");
                     },
                     grain),
                 std::runtime_error);
    EXPECT_EQ(calls, 1);
  }
}

TEST(Executor, ParallelForThrowsTheFirstException) {
  ThreadPoolExecutor pool(2);
  std::atomic<int> calls = 0;
  EXPECT_THROW(pool.parallel_for(
                   0, 1'000'000,
                   [&calls](int) {
                     ++calls;
                     throw std::runtime_error("stop");
                   },
                   1),
               std::runtime_error);
  EXPECT_LT(calls, 1000);
}

TEST(Executor, ParallelForMayBeNestedInATaskOfOneWorker) {
  ThreadPoolExecutor pool(1);
  std::atomic<int> calls = 0;
  pool.submit([&] {
        pool.parallel_for(0, 10,
                          [&](int) { pool.parallel_for(0, 10, [&calls](int) { ++calls; }); });
      })
      .result();
  EXPECT_EQ(calls, 100);
}

// ---- then, on an executor

TEST(Executor, ThenHandsOnAnExceptionAndACancellationWithoutACall) {
  ThreadPoolExecutor pool(1);
  for (const bool cancel : {true, false}) {
    Promise<int> promise;
    auto alive = std::make_shared<int>(0);
    const std::weak_ptr<int> watch = alive;
    const auto next =
        promise.future().then(pool, [alive = std::move(alive)](int) { ADD_FAILURE(); });
    const auto error = std::make_exception_ptr(std::out_of_range("first"));
    if (cancel) {
      EXPECT_TRUE(promise.future().cancel());
      EXPECT_TRUE(next.cancelled());
    } else {
      promise.set_exception(error);
      EXPECT_EQ(next.exception(), error);
    }
    EXPECT_TRUE(watch.expired());
  }
  EXPECT_EQ(pool.stats().submitted, 0U);
}

TEST(Executor, ThenGivesTheFutureToACallThatTakesIt) {
  ThreadPoolExecutor pool(1);
  Promise<int> promise;
  const auto next =
      promise.future().then(pool, [](const Future<int>& done) { return done.cancelled(); });
  EXPECT_TRUE(promise.future().cancel());
  EXPECT_TRUE(next.result());
}

TEST(Executor, CancellingAQueuedContinuationTakesItOutOfThePool) {
  ThreadPoolExecutor pool(1);
  pool.pause();
  Promise<void> promise;
  auto alive = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = alive;
  const auto next = promise.future().then(pool, [alive = std::move(alive)] { ADD_FAILURE(); });
  promise.set_result();
  EXPECT_EQ(pool.stats().queued, 1U);
  EXPECT_TRUE(next.cancel());
  EXPECT_EQ(pool.stats().queued, 0U);
  EXPECT_TRUE(watch.expired());
  pool.resume();
}

TEST(Executor, ThenCallsBackInlineOrInThePool) {
  ThreadPoolExecutor pool(1);
  InlineExecutor here;
  const auto id = [] { return std::this_thread::get_id(); };
  Promise<void> promise;
  const auto inline_one = promise.future().then(id);
  const auto here_one = promise.future().then(here, id);
  const auto pool_one = promise.future().then(pool, id);
  promise.set_result();
  EXPECT_EQ(inline_one.result(), std::this_thread::get_id());
  EXPECT_EQ(here_one.result(), std::this_thread::get_id());
  EXPECT_EQ(pool_one.result(), pool.submit(id).result());
}

// ---- Callbacks of tasks

TEST(Executor, ACallbackMayWaitForAQueuedTaskOfItsOnlyWorker) {
  ThreadPoolExecutor pool(1);
  pool.pause();
  const auto first = pool.submit([] { return 1; });
  const auto second = pool.submit([] { return 2; });
  Promise<int> sum;
  first.add_done_callback(
      [&](const Future<int>& done) { sum.set_result(done.result() + second.result()); });
  pool.resume();
  EXPECT_EQ(sum.future().result(), 3);
}

TEST(Executor, ACallbackMayCancelAndSubmitAndAddCallbacks) {
  ThreadPoolExecutor pool(1);
  pool.pause();
  const auto first = pool.submit([] {});
  const auto second = pool.submit([] { ADD_FAILURE(); });
  Promise<int> answer;
  first.add_done_callback([&](const Future<void>&) {
    EXPECT_TRUE(second.cancel());
    pool.submit([] { return 42; }).add_done_callback([&answer](const Future<int>& third) {
      answer.set_result(third.result());
    });
  });
  pool.resume();
  EXPECT_EQ(answer.future().result(), 42);
  EXPECT_TRUE(second.cancelled());
}

TEST(Executor, ShutdownThatCancelsWakesTheWaitersAndRunsTheCallbacks) {
  ThreadPoolExecutor pool(1);
  pool.pause();
  const auto queued = pool.submit([] { ADD_FAILURE(); });
  std::atomic<int> told = 0;
  queued.add_done_callback([&told](const Future<void>& done) {
    EXPECT_TRUE(done.cancelled());
    ++told;
  });
  std::thread waiter([&queued] { EXPECT_THROW(queued.result(), conc::CancelledError); });
  EXPECT_TRUE(conc::test::eventually_waiting(conc::detail::FutureAccess::state(queued), 1));
  pool.shutdown(true, true);
  waiter.join();
  EXPECT_EQ(told, 1);
}

}  // namespace

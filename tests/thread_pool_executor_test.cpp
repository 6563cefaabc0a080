#include <conc/as_completed.hpp>
#include <conc/barrier.hpp>
#include <conc/errors.hpp>
#include <conc/event.hpp>
#include <conc/hooks.hpp>
#include <conc/inline_executor.hpp>
#include <conc/promise.hpp>
#include <conc/thread_pool_executor.hpp>
#include <conc/wait.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocations.hpp"
#include "asleep.hpp"
#include "eventually.hpp"
#include "gate.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Event;
using conc::Executor;
using conc::Future;
using conc::Overflow;
using conc::ThreadPoolExecutor;
using conc::test::eventually;
using conc::test::somebody_sleeps;

std::string os_name() {
  std::array<char, 16> name{};
  pthread_getname_np(pthread_self(), name.data(), name.size());
  return name.data();
}

// Nothing is queued or running, every worker sleeps, and the sums are right.
[[nodiscard]] bool at_rest(const ThreadPoolExecutor& pool) {
  return eventually([&pool] {
    const auto now = pool.stats();
    return now.queued == 0 && now.running == 0 && now.idle == now.workers &&
           now.submitted == now.done + now.failed + now.cancelled;
  });
}

// Keeps all workers of a pool busy until it is opened.
class Plug {
 public:
  explicit Plug(ThreadPoolExecutor& pool) {
    for (std::size_t i = 0; i < pool.max_workers(); ++i) {
      tasks_.push_back(pool.submit([this] { open_.wait(); }));
    }
    for (const auto& task : tasks_) EXPECT_TRUE(eventually([&task] { return task.running(); }));
  }
  ~Plug() { open(); }
  void open() {
    open_.set();
    for (const auto& task : tasks_) task.wait();
  }

 private:
  Event open_;
  std::vector<Future<void>> tasks_;
};

// ---- submit

TEST(ThreadPoolExecutor, ReturnsWhatTheCallReturns) {
  ThreadPoolExecutor pool(2);
  EXPECT_EQ(pool.submit([](int a, int b) { return a + b; }, 2, 3).result(), 5);
  EXPECT_EQ(pool.submit(&std::string::size, std::string("four")).result(), 4U);
  int target = 0;
  EXPECT_EQ(&pool.submit([&target]() -> int& { return target; }).result(), &target);
  pool.submit([] {}).result();
  EXPECT_TRUE(at_rest(pool));
}

TEST(ThreadPoolExecutor, TakesCallsAndArgumentsThatCannotBeCopied) {
  ThreadPoolExecutor pool(1);
  auto future = pool.submit([a = std::make_unique<int>(1)](
                                std::unique_ptr<int> b) { return std::make_unique<int>(*a + *b); },
                            std::make_unique<int>(2));
  EXPECT_EQ(*std::move(future).take(), 3);
}

TEST(ThreadPoolExecutor, CopiesItsArgumentsUnlessTheyAreWrapped) {
  ThreadPoolExecutor pool(1);
  int value = 1;
  pool.submit([](int& n) { ++n; }, std::ref(value)).result();
  EXPECT_EQ(value, 2);
  const char text[] = "decays";
  EXPECT_EQ(pool.submit([](const std::string& s) { return s; }, text).result(), "decays");
}

TEST(ThreadPoolExecutor, PutsAnExceptionIntoTheFutureAndGoesOn) {
  ThreadPoolExecutor pool(1);
  const auto failed = pool.submit([]() -> int { throw std::runtime_error("task"); });
  EXPECT_THROW(failed.result(), std::runtime_error);
  const auto odd = pool.submit([] { throw 5; });
  EXPECT_THROW(odd.result(), int);
  EXPECT_EQ(pool.submit([] { return 1; }).result(), 1);
  EXPECT_EQ(pool.stats().failed, 2U);
  EXPECT_EQ(pool.stats().workers, 1U);
}

TEST(ThreadPoolExecutor, DestroysTheCallBeforeTheFutureIsDone) {
  ThreadPoolExecutor pool(1);
  for (int i = 0; i < 200; ++i) {
    auto alive = std::make_shared<int>(0);
    const std::weak_ptr<int> watch = alive;
    const auto future = pool.submit([alive = std::move(alive)] {});
    future.wait();
    EXPECT_TRUE(watch.expired());
  }
}

TEST(ThreadPoolExecutor, OneWorkerRunsCallsInTheOrderSubmitted) {
  ThreadPoolExecutor pool(1);
  std::vector<int> order;
  std::vector<Future<void>> futures;
  for (int i = 0; i < 100; ++i) {
    futures.push_back(pool.submit([&order, i] { order.push_back(i); }));
  }
  conc::wait(futures);
  std::vector<int> expected(100);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(order, expected);
}

TEST(ThreadPoolExecutor, OneWorkerRunsWhatATaskSubmitsAfterWhatIsQueued) {
  ThreadPoolExecutor pool(1);
  std::vector<int> order;
  Event go;
  pool.post([&] {
    go.wait();
    pool.post([&order] { order.push_back(2); });
  });
  pool.post([&order] { order.push_back(1); });
  go.set();
  pool.submit([] {}).wait();
  pool.shutdown();
  EXPECT_EQ(order, (std::vector{1, 2}));
}

TEST(ThreadPoolExecutor, RefusesLessThanOneWorker) {
  EXPECT_THROW(ThreadPoolExecutor(0), std::invalid_argument);
  EXPECT_THROW(ThreadPoolExecutor(-1), std::invalid_argument);
  EXPECT_THROW(ThreadPoolExecutor({.priorities = 0}), std::invalid_argument);
}

TEST(ThreadPoolExecutor, HasByDefaultAFewWorkersMoreThanProcessors) {
  const ThreadPoolExecutor pool;
  EXPECT_GE(pool.max_workers(), 5U);
  EXPECT_LE(pool.max_workers(), 32U);
  EXPECT_EQ(pool.stats().workers, 0U);
}

// ---- Threads

TEST(ThreadPoolExecutor, NamesItsThreadsForTheOperatingSystem) {
  Event open;
  ThreadPoolExecutor pool({.max_workers = 2, .thread_name_prefix = "crew"});
  const auto first = pool.submit([&open] { return open.wait(), os_name(); });
  EXPECT_TRUE(eventually([&first] { return first.running(); }));
  EXPECT_EQ(pool.submit(os_name).result(), "crew_1");
  open.set();
  EXPECT_EQ(first.result(), "crew_0");
}

TEST(ThreadPoolExecutor, MakesAThreadOnlyWhenNoneIsIdle) {
  Event open;
  ThreadPoolExecutor pool(4);
  for (int i = 0; i < 500; ++i) pool.submit([] {}).result();
  EXPECT_EQ(pool.stats().workers, 1U);
  const auto busy = pool.submit([&open] { open.wait(); });
  EXPECT_TRUE(eventually([&busy] { return busy.running(); }));
  pool.submit([] {}).result();
  EXPECT_EQ(pool.stats().workers, 2U);
  open.set();
}

TEST(ThreadPoolExecutor, RunsAsManyCallsAtOnceAsItHasWorkers) {
  ThreadPoolExecutor pool(3);
  { const Plug plug(pool); }
  EXPECT_EQ(pool.stats().workers, 3U);
  EXPECT_TRUE(at_rest(pool));
}

TEST(ThreadPoolExecutor, WakesAnotherWorkerForEachCallThatIsQueued) {
  for (int round = 0; round < 100; ++round) {
    conc::Event all;
    std::atomic<int> arrived = 0;
    ThreadPoolExecutor pool(4);
    for (int i = 0; i < 4; ++i) {
      pool.post([&] {
        if (++arrived == 4) all.set();
        all.wait();
      });
    }
    all.wait();
  }
}

TEST(ThreadPoolExecutor, AThreadEndsWhenItWasIdleForTooLongAndComesBack) {
  ThreadPoolExecutor pool({.max_workers = 3, .idle_timeout = 1ms});
  for (int round = 0; round < 5; ++round) {
    { const Plug plug(pool); }
    EXPECT_TRUE(eventually([&pool] { return pool.stats().workers == 0; }));
  }
  EXPECT_EQ(pool.submit([] { return 1; }).result(), 1);
  EXPECT_EQ(pool.stats().done, 16U);
}

TEST(ThreadPoolExecutor, SubmitRacesWithThreadsThatEnd) {
  ThreadPoolExecutor pool({.max_workers = 2, .idle_timeout = 0ns});
  conc::test::together(2, [&pool](std::size_t) {
    for (int i = 0; i < 1000; ++i) pool.submit([] {}).result();
  });
  EXPECT_EQ(pool.stats().done, 2000U);
}

// What a thread does at its very end.
struct LastSteps {
  LastSteps() = default;
  LastSteps(const LastSteps&) = delete;
  LastSteps& operator=(const LastSteps&) = delete;
  ~LastSteps() {
    if (steps) steps();
  }
  std::function<void()> steps;
};
thread_local LastSteps last_steps;

TEST(ThreadPoolExecutor, AThreadThatEndsMayUseThePool) {
  ThreadPoolExecutor pool({.max_workers = 1, .idle_timeout = 0ns});
  Event replaced;
  std::atomic<int> ran = 0;
  pool.post([&] {
    last_steps.steps = [&] {
      // Until there is another thread in its place, whose start must not wait for this one.
      replaced.wait();
      static_cast<void>(pool.stats());
      pool.post([&ran] { ++ran; });
    };
  });
  EXPECT_TRUE(eventually([&pool] { return pool.stats().workers == 0; }));
  pool.submit([&ran] { ++ran; }).result();
  replaced.set();
  EXPECT_TRUE(eventually([&ran] { return ran == 2; }));
  pool.shutdown();
}

TEST(ThreadPoolExecutor, ShutdownWaitsForTheLastStepsOfItsThreads) {
  ThreadPoolExecutor pool({.max_workers = 1, .idle_timeout = 0ns});
  std::atomic<int> steps = 0;
  for (int i = 0; i < 5; ++i) {
    pool.submit([&steps] {
          last_steps.steps = [&steps] {
            for (int n = 0; n < 100; ++n) std::this_thread::yield();
            ++steps;
          };
        })
        .wait();
    EXPECT_TRUE(eventually([&pool] { return pool.stats().workers == 0; }));
  }
  pool.shutdown();
  EXPECT_EQ(steps, 5);
}

TEST(ThreadPoolExecutor, TheInitializerRunsOnceInEachThread) {
  static thread_local int initialized = 0;
  ThreadPoolExecutor pool({.max_workers = 2, .initializer = [] { ++initialized; }});
  { const Plug plug(pool); }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(pool.submit([] { return initialized; }).result(), 1);
}

TEST(ThreadPoolExecutor, InitializersRunAtTheSameTime) {
  conc::Barrier all_are_in(3);
  ThreadPoolExecutor pool({.max_workers = 3, .initializer = [&all_are_in] { all_are_in.wait(); }});
  std::vector<Future<void>> futures;
  for (int i = 0; i < 3; ++i) futures.push_back(pool.submit([] {}));
  for (const auto& future : futures) future.result(30s);
  EXPECT_TRUE(at_rest(pool));
  EXPECT_EQ(pool.stats().workers, 3U);
}

TEST(ThreadPoolExecutor, AWorkerInItsInitializerIsEnoughForOneCall) {
  Event go;
  ThreadPoolExecutor pool({.max_workers = 3, .initializer = [&go] { go.wait(); }});
  const auto first = pool.submit([] {});
  EXPECT_TRUE(conc::test::eventually_waiting(go, 1));
  EXPECT_EQ(pool.stats().workers, 1U);
  const auto second = pool.submit([] {});
  EXPECT_TRUE(conc::test::eventually_waiting(go, 2));
  EXPECT_EQ(pool.stats().workers, 2U);
  go.set();
  first.wait();
  second.wait();
  EXPECT_TRUE(at_rest(pool));
}

TEST(ThreadPoolExecutor, AnInitializerThatThrowsBreaksThePool) {
  conc::set_report_hook([](const conc::Report&) {});
  Event go;
  ThreadPoolExecutor pool({.max_workers = 1, .initializer = [&go] {
                             go.wait();
                             throw std::runtime_error("init");
                           }});
  const auto first = pool.submit([] { return 1; });
  const auto second = pool.submit([] { return 2; });
  go.set();
  EXPECT_THROW(first.result(), conc::BrokenExecutor);
  EXPECT_THROW(second.result(), conc::BrokenExecutor);
  EXPECT_THROW(pool.submit([] {}), conc::BrokenExecutor);
  EXPECT_EQ(pool.stats().cancelled, 2U);
  pool.shutdown();
  conc::set_report_hook(nullptr);
}

// ---- post

TEST(ThreadPoolExecutor, PostReportsWhatTheCallThrows) {
  static std::atomic<int> reports;
  reports = 0;
  conc::set_report_hook([](const conc::Report& news) {
    EXPECT_EQ(news.channel, "conc.future");
    ++reports;
  });
  {
    ThreadPoolExecutor pool(1);
    pool.post([] { throw std::runtime_error("posted"); });
    pool.post([](int) {}, 1);
  }
  conc::set_report_hook(nullptr);
  EXPECT_EQ(reports, 1);
}

TEST(ThreadPoolExecutor, SubmitCostsOneAllocation) {
  ThreadPoolExecutor pool(1);
  pool.submit([] {}).result();
  EXPECT_TRUE(at_rest(pool));
  const auto before = conc::test::allocations.load();
  for (int i = 0; i < 100; ++i) pool.submit([i] { return i; }).wait();
  EXPECT_EQ(conc::test::allocations.load() - before, 100U);
}

TEST(ThreadPoolExecutor, PostCostsNoAllocationInTheSteadyState) {
  ThreadPoolExecutor pool(1);
  std::array<char, 64> bytes{};
  const auto round = [&] {
    std::atomic<int> done = 0;
    pool.pause();  // so that each round has as many calls queued at once
    for (int i = 0; i < 1000; ++i) pool.post([bytes] { static_cast<void>(bytes); });
    pool.post([bytes, &done] { done = bytes[0] + 1; });
    pool.resume();
    EXPECT_TRUE(eventually([&done] { return done == 1; }));
    EXPECT_TRUE(at_rest(pool));
  };
  // Until the threads' caches of memory hold what they can: what is left in them of a round is more
  // or less by turns.
  for (int i = 0; i < 70; ++i) round();
  const auto before = conc::test::allocations.load();
  round();
  EXPECT_EQ(conc::test::allocations.load(), before);
}

// ---- cancel

TEST(ThreadPoolExecutor, CancelTakesAQueuedTaskOutAndDestroysItAtOnce) {
  ThreadPoolExecutor pool(1);
  Plug plug(pool);
  auto alive = std::make_shared<int>(0);
  const std::weak_ptr<int> watch = alive;
  const auto future = pool.submit([alive = std::move(alive)] {});
  EXPECT_EQ(pool.stats().queued, 1U);
  EXPECT_TRUE(future.cancel());
  EXPECT_TRUE(watch.expired());
  EXPECT_TRUE(future.done());
  EXPECT_EQ(pool.stats().queued, 0U);
  EXPECT_EQ(pool.stats().cancelled, 1U);
}

TEST(ThreadPoolExecutor, CancelOfARunningTaskRequestsItsStopAndSaysNo) {
  ThreadPoolExecutor pool(1);
  const auto future = pool.submit(
      [](std::stop_token stop, int answer) {
        while (!stop.stop_requested()) std::this_thread::yield();
        return answer;
      },
      42);
  EXPECT_TRUE(eventually([&future] { return future.running(); }));
  EXPECT_FALSE(future.cancel());
  EXPECT_EQ(future.result(), 42);
  EXPECT_FALSE(future.cancelled());
}

TEST(ThreadPoolExecutor, ACancelledTaskNeverRunsAndAnUncancelledOneAlwaysDoes) {
  ThreadPoolExecutor pool(2);
  for (int round = 0; round < 500; ++round) {
    std::atomic<int> ran = 0;
    const auto future = pool.submit([&ran] { ++ran; });
    const bool cancelled = future.cancel();
    future.wait();
    EXPECT_EQ(ran, cancelled ? 0 : 1);
    EXPECT_EQ(future.cancelled(), cancelled);
  }
  EXPECT_TRUE(at_rest(pool));
}

TEST(ThreadPoolExecutor, CancelRacesWithTheEndOfThePool) {
  for (int round = 0; round < 300; ++round) {
    std::vector<Future<void>> futures;
    std::atomic<bool> go = false;
    auto pool = std::make_unique<ThreadPoolExecutor>(2);
    for (int i = 0; i < 10; ++i) futures.push_back(pool->submit([] {}));
    std::thread canceller([&] {
      go = true;
      for (const auto& future : futures) future.cancel();
    });
    EXPECT_TRUE(eventually([&go] { return go.load(); }));
    pool.reset();
    for (const auto& future : futures) EXPECT_TRUE(future.done() || future.cancelled());
    canceller.join();
    for (const auto& future : futures) EXPECT_TRUE(future.done());
  }
}

// ---- shutdown

TEST(ThreadPoolExecutor, RunsWhatIsQueuedAndTakesNoMoreAfterShutdown) {
  ThreadPoolExecutor pool(2);
  std::atomic<int> ran = 0;
  for (int i = 0; i < 100; ++i) pool.post([&ran] { ++ran; });
  pool.shutdown();
  EXPECT_EQ(ran, 100);
  EXPECT_THROW(pool.submit([] {}), conc::UsageError);
  EXPECT_THROW(pool.post([] {}), conc::UsageError);
  pool.shutdown();
  pool.shutdown(false, true);
  EXPECT_EQ(pool.stats().workers, 0U);
}

TEST(ThreadPoolExecutor, ShutdownOfAPoolThatWasNeverUsedReturns) {
  ThreadPoolExecutor pool(2);
  pool.shutdown();
  EXPECT_THROW(pool.submit([] {}), conc::UsageError);
}

TEST(ThreadPoolExecutor, ShutdownCancelsWhatHasNotBegunWhenAskedTo) {
  ThreadPoolExecutor pool(1);
  Event open;
  const auto running = pool.submit([&open] { open.wait(); });
  EXPECT_TRUE(eventually([&running] { return running.running(); }));
  const auto queued = pool.submit([] {});
  pool.post([] { FAIL(); });
  pool.shutdown(false, true);
  EXPECT_TRUE(queued.cancelled());
  EXPECT_FALSE(running.done());
  open.set();
  pool.shutdown();
  EXPECT_TRUE(running.done());
  EXPECT_EQ(pool.stats().cancelled, 2U);
}

TEST(ThreadPoolExecutor, NothingBeginsAfterAShutdownThatCancels) {
  for (int round = 0; round < 300; ++round) {
    ThreadPoolExecutor pool(2);
    std::atomic<bool> closed = false;
    std::atomic<int> late = 0;
    for (int i = 0; i < 1000; ++i) {
      pool.post([&] {
        if (closed) ++late;
        // A child goes to the queue of the worker; it is refused once the pool is shut down.
        if (!closed) {
          try {
            pool.post([&] {
              if (closed) ++late;
            });
          } catch (const conc::UsageError&) {
          }
        }
      });
    }
    pool.shutdown(false, true);
    closed = true;
    pool.shutdown();
    EXPECT_LE(late, 2);  // one that a worker had just taken
    const auto stats = pool.stats();
    EXPECT_EQ(stats.submitted, stats.done + stats.failed + stats.cancelled);
  }
}

TEST(ThreadPoolExecutor, ATaskMayShutItsPoolDown) {
  ThreadPoolExecutor pool(2);
  pool.submit([&pool] { pool.shutdown(); }).result();
  EXPECT_THROW(pool.submit([] {}), conc::UsageError);
}

TEST(ThreadPoolExecutor, SeveralThreadsMayShutItDownAtOnce) {
  ThreadPoolExecutor pool(2);
  std::atomic<int> ran = 0;
  for (int i = 0; i < 50; ++i) pool.post([&ran] { ++ran; });
  conc::test::together(3, [&](std::size_t) {
    pool.shutdown();
    EXPECT_EQ(ran, 50);
  });
}

TEST(ThreadPoolExecutor, ItsOwnTaskMayDestroyIt) {
  auto pool = std::make_shared<ThreadPoolExecutor>(2);
  Event released;
  auto* const raw = pool.get();
  const auto last = raw->submit([pool = std::move(pool), &released]() mutable {
    released.wait();
    pool.reset();
  });
  std::vector<Future<int>> queued;
  for (int i = 0; i < 20; ++i) queued.push_back(raw->submit([i] { return i; }));
  released.set();
  last.wait();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(queued[static_cast<std::size_t>(i)].result(), i);
}

TEST(ThreadPoolExecutor, MayGrowAfterItsOwnTaskHasDestroyedIt) {
  const auto alive = std::make_shared<int>();
  auto* const pool =
      new ThreadPoolExecutor({.max_workers = 1, .initializer = [alive] { EXPECT_TRUE(alive); }});
  Event go;
  Future<void> third;
  pool->post([&go, pool] {
    go.wait();
    delete pool;
  });
  // Waits in time, so it does not run the third one itself, and another worker is started.
  const auto second = pool->submit([&third] { return third.wait(30s); });
  third = pool->submit([] {});
  go.set();
  EXPECT_TRUE(second.result());
  EXPECT_TRUE(eventually([&alive] { return alive.use_count() == 1; }));
}

TEST(ThreadPoolExecutor, TheChildOfAForkMayLetGoOfIt) {
  std::optional<ThreadPoolExecutor> pool(std::in_place, 2);
  Plug plug(*pool);
  const auto queued = pool->submit([] { return 1; });
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::alarm(30);
    pool->shutdown(true, true);
    pool.reset();
    ::_exit(queued.done() ? 1 : 0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  plug.open();
  EXPECT_EQ(queued.result(), 1);
}

// ---- Jobs of others

TEST(ThreadPoolExecutor, ATaskGoesOnAfterAnInlineExecutorHasRunAnother) {
  Event inner;
  Event go;
  ThreadPoolExecutor pool(4);
  const auto outer = pool.submit([&] {
    conc::InlineExecutor inlined;
    inlined.submit([] {}).result();
    inlined.post([] {});
    inner.set();
    return go.wait(30s);
  });
  inner.wait();
  pool.post([&go] { go.set(); });
  EXPECT_TRUE(outer.result());
  EXPECT_TRUE(at_rest(pool));
  EXPECT_EQ(pool.stats().done, 2U);
}

TEST(ThreadPoolExecutor, ATaskGoesOnAfterItHasRunWhatDidNotFit) {
  Event inner;
  Event go;
  ThreadPoolExecutor pool(4);
  ThreadPoolExecutor other({.max_workers = 1, .max_pending = 1, .overflow = Overflow::caller_runs});
  const Plug plug(other);
  other.post([] {});
  const auto outer = pool.submit([&] {
    EXPECT_TRUE(other.submit([] {}).done());
    inner.set();
    return go.wait(30s);
  });
  inner.wait();
  pool.post([&go] { go.set(); });
  EXPECT_TRUE(outer.result());
  EXPECT_TRUE(at_rest(pool));
  EXPECT_EQ(pool.stats().done, 2U);
}

TEST(ThreadPoolExecutor, CountsOnceWhatItsOwnTaskRunsBecauseItDoesNotFit) {
  ThreadPoolExecutor pool({.max_workers = 1, .max_pending = 1, .overflow = Overflow::caller_runs});
  pool.submit([&pool] {
        for (int i = 0; i < 5; ++i) pool.post([] {});
      })
      .wait();
  EXPECT_TRUE(at_rest(pool));
  EXPECT_EQ(pool.stats().submitted, 6U);
}

// Its destructor says that it was entered, and stays until it may leave.
class EndsWhenTold {
 public:
  EndsWhenTold(Event& entered, Event& leave) : entered_(&entered), leave_(&leave) {}
  EndsWhenTold(EndsWhenTold&& other) noexcept
      : entered_(std::exchange(other.entered_, nullptr)), leave_(other.leave_) {}
  EndsWhenTold& operator=(EndsWhenTold&&) = delete;
  ~EndsWhenTold() {
    if (entered_ == nullptr) return;
    entered_->set();
    EXPECT_TRUE(leave_->wait(30s));
  }

 private:
  Event* entered_;
  Event* leave_;
};

TEST(ThreadPoolExecutor, TheEndOfAResultThatNobodyHoldsHoldsUpNoOther) {
  Event dropped;
  Event entered;
  Event leave;
  ThreadPoolExecutor pool(4);
  static_cast<void>(pool.submit([&] {
    dropped.wait();
    return EndsWhenTold(entered, leave);
  }));
  dropped.set();
  entered.wait();
  pool.post([&leave] { leave.set(); });
  EXPECT_TRUE(at_rest(pool));
}

TEST(ThreadPoolExecutor, ATaskMayWaitForAFutureOfAPoolThatIsGone) {
  Event entered;
  Event leave;
  auto gone = std::make_unique<ThreadPoolExecutor>(1);
  gone->pause();
  const auto future = gone->submit([capture = EndsWhenTold(entered, leave)] {});
  std::thread canceller([&future] { EXPECT_TRUE(future.cancel()); });
  entered.wait();
  gone.reset();  // it has nothing left to do
  ThreadPoolExecutor pool(1);
  const auto waiting = pool.submit([&future] { future.wait(); });
  EXPECT_TRUE(eventually([&waiting] { return waiting.running(); }));
  leave.set();
  waiting.result();
  canceller.join();
}

// ---- Nested waits

TEST(ThreadPoolExecutor, ATaskMayWaitForATaskOfItsOwnPoolWithOneWorker) {
  ThreadPoolExecutor pool(1);
  const auto outer = pool.submit([&pool] { return pool.submit([] { return 20; }).result() + 1; });
  EXPECT_EQ(outer.result(), 21);
  EXPECT_EQ(pool.stats().workers, 1U);
}

int nested(Executor& pool, int depth) {
  if (depth == 0) return 0;
  return 1 + pool.submit(nested, std::ref(pool), depth - 1).result();
}

TEST(ThreadPoolExecutor, NestedWaitsGoAThousandDeepWithOneWorker) {
  ThreadPoolExecutor pool(1);
  EXPECT_EQ(pool.submit(nested, std::ref(pool), 1000).result(), 1000);
  EXPECT_EQ(pool.stats().workers, 1U);
}

int fib(Executor& pool, int n) {
  if (n < 2) return n;
  const auto left = pool.submit(fib, std::ref(pool), n - 1);
  const int right = fib(pool, n - 2);
  return left.result() + right;
}

TEST(ThreadPoolExecutor, ForkAndJoinWorksWithOneTwoAndThreeWorkers) {
  for (const int workers : {1, 2, 3}) {
    ThreadPoolExecutor pool(workers);
    EXPECT_EQ(pool.submit(fib, std::ref(pool), 15).result(), 610);
    EXPECT_TRUE(at_rest(pool));
  }
}

TEST(ThreadPoolExecutor, AWaitingTaskRunsTheTaskItWaitsForAndNoOther) {
  ThreadPoolExecutor pool(1);
  std::vector<int> order;
  pool.submit([&] {
        const auto a = pool.submit([&order] { order.push_back(1); });
        const auto b = pool.submit([&order] { order.push_back(2); });
        b.wait();
        EXPECT_FALSE(a.done());
        order.push_back(3);
      })
      .wait();
  pool.shutdown();
  EXPECT_EQ(order, (std::vector{2, 3, 1}));
}

TEST(ThreadPoolExecutor, ASpareWorkerIsAddedWhenAllSleepForFutures) {
  ThreadPoolExecutor pool(2);
  conc::Promise<int> promise;
  const auto future = promise.future();
  std::vector<Future<int>> sleepers;
  for (int i = 0; i < 2; ++i) sleepers.push_back(pool.submit([future] { return future.result(); }));
  pool.submit([&promise] { promise.set_result(7); }).wait();
  for (const auto& sleeper : sleepers) EXPECT_EQ(sleeper.result(), 7);
  EXPECT_TRUE(eventually([&pool] { return pool.stats().workers <= 3; }));
  EXPECT_TRUE(at_rest(pool));
}

TEST(ThreadPoolExecutor, ATimedWaitForAQueuedTaskEndsInTimeAndDoesNotHang) {
  ThreadPoolExecutor pool(1);
  const auto outer = pool.submit([&pool] { return pool.submit([] { return 1; }).result(30s); });
  EXPECT_EQ(outer.result(), 1);
}

TEST(ThreadPoolExecutor, ATaskMayGatherItsChildren) {
  for (const int workers : {1, 2}) {
    ThreadPoolExecutor pool(workers);
    const auto sum = pool.submit([&pool] {
      std::vector<Future<int>> children;
      for (int i = 1; i <= 10; ++i) children.push_back(pool.submit([i] { return i; }));
      int total = 0;
      for (const auto& child : conc::as_completed(children)) total += child.result();
      for (const auto& child : conc::wait(children).done) total += child.result();
      return total + conc::when_all(children)
                         .then([](const auto& all) { return static_cast<int>(all.size()); })
                         .result();
    });
    EXPECT_EQ(sum.result(), 120);
  }
}

// ---- then on an executor

TEST(ThreadPoolExecutor, ThenRunsOnTheExecutor) {
  ThreadPoolExecutor pool({.max_workers = 1, .thread_name_prefix = "then"});
  conc::Promise<int> promise;
  const auto name = promise.future().then(pool, [](int) { return os_name(); });
  promise.set_result(1);
  EXPECT_EQ(name.result(), "then_0");
}

TEST(ThreadPoolExecutor, ThenEndsWithUsageErrorWhenTheExecutorIsShutDown) {
  ThreadPoolExecutor pool(1);
  conc::Promise<int> promise;
  const auto next = promise.future().then(pool, [](int) {});
  pool.shutdown();
  promise.set_result(1);
  EXPECT_THROW(next.result(), conc::UsageError);
}

TEST(ThreadPoolExecutor, ACallbackMaySubmit) {
  ThreadPoolExecutor pool(1);
  conc::Promise<int> second;
  pool.submit([] { return 1; }).add_done_callback([&](const Future<int>& first) {
    pool.post([&second, value = first.result()] { second.set_result(value + 1); });
  });
  EXPECT_EQ(second.future().result(), 2);
}

TEST(ThreadPoolExecutor, ALongCallbackDoesNotHoldUpTheNextTask) {
  Event open;
  Event begun;
  ThreadPoolExecutor pool(2);
  pool.submit([] {}).wait();
  const auto first = pool.submit([&begun] { begun.wait(); });
  first.add_done_callback([&open](const Future<void>&) { open.wait(); });
  begun.set();
  first.wait();
  pool.submit([] {}).wait();
  open.set();
}

// ---- max_pending

TEST(ThreadPoolExecutor, AFullQueueRejects) {
  ThreadPoolExecutor pool({.max_workers = 1, .max_pending = 2, .overflow = Overflow::reject});
  Plug plug(pool);
  const auto a = pool.submit([] {});
  const auto b = pool.submit([] {});
  EXPECT_THROW(pool.submit([] {}), conc::Full);
  EXPECT_THROW(pool.submit_each([](int) {}, std::vector{1, 2, 3}), conc::Full);
  EXPECT_TRUE(a.cancel());
  const auto c = pool.submit([] {});
  plug.open();
  b.wait();
  c.wait();
  EXPECT_TRUE(at_rest(pool));
}

TEST(ThreadPoolExecutor, AFullQueueBlocksTheSubmitter) {
  ThreadPoolExecutor pool({.max_workers = 1, .max_pending = 2, .overflow = Overflow::block});
  auto plug = std::make_unique<Plug>(pool);
  pool.post([] {});
  const auto queued = pool.submit([] {});
  std::atomic<bool> in = false;
  std::thread submitter([&] {
    pool.submit([] {}).wait();
    in = true;
  });
  EXPECT_FALSE(in);
  EXPECT_EQ(pool.stats().queued, 2U);
  EXPECT_TRUE(queued.cancel());
  EXPECT_TRUE(eventually([&pool] { return pool.stats().queued == 2; }));
  EXPECT_FALSE(in);
  plug.reset();
  submitter.join();
  EXPECT_TRUE(at_rest(pool));
}

TEST(ThreadPoolExecutor, ShutdownWakesABlockedSubmitter) {
  for (int round = 0; round < 50; ++round) {
    ThreadPoolExecutor pool({.max_workers = 1, .max_pending = 1});
    Plug plug(pool);
    pool.post([] {});
    std::thread submitter(
        [&] { EXPECT_THROW(static_cast<void>(pool.submit([] {})), conc::UsageError); });
    if (round % 2 == 0) {  // when it waits; else whenever it comes
      EXPECT_TRUE(eventually([] {
        return somebody_sleeps(
            [](const auto& thread) { return thread.wait->action == "submit to"; });
      }));
    }
    pool.shutdown(false);
    submitter.join();
    EXPECT_EQ(pool.stats().cancelled, 0U);
    plug.open();
  }
}

TEST(ThreadPoolExecutor, ATaskIsNeverBlockedByItsOwnPool) {
  ThreadPoolExecutor pool({.max_workers = 1, .max_pending = 1});
  pool.submit([&pool] {
        for (int i = 0; i < 10; ++i) pool.post([] {});
      })
      .wait();
  EXPECT_TRUE(at_rest(pool));
  EXPECT_EQ(pool.stats().done, 11U);
}

TEST(ThreadPoolExecutor, TheCallerRunsWhatDoesNotFit) {
  ThreadPoolExecutor pool({.max_workers = 1, .max_pending = 1, .overflow = Overflow::caller_runs});
  Plug plug(pool);
  const auto queued = pool.submit([] {});
  const auto here = pool.submit([] { return std::this_thread::get_id(); });
  EXPECT_TRUE(here.done());
  EXPECT_EQ(here.result(), std::this_thread::get_id());
  EXPECT_FALSE(queued.done());
}

TEST(ThreadPoolExecutor, TheOldestIsDroppedForTheNewest) {
  ThreadPoolExecutor pool({.max_workers = 1, .max_pending = 2, .overflow = Overflow::drop_oldest});
  Plug plug(pool);
  const auto a = pool.submit([] {});
  const auto b = pool.submit([] {});
  const auto c = pool.submit([] {});
  EXPECT_TRUE(a.cancelled());
  EXPECT_FALSE(b.done());
  plug.open();
  c.wait();
  EXPECT_FALSE(b.cancelled());
  EXPECT_TRUE(at_rest(pool));
}

TEST(ThreadPoolExecutor, AFullQueueOfAPausedPoolDoesAsItIsTold) {
  {
    ThreadPoolExecutor pool(
        {.max_workers = 1, .max_pending = 1, .overflow = Overflow::drop_oldest});
    pool.submit([] {}).wait();
    EXPECT_TRUE(at_rest(pool));
    pool.pause();
    const auto oldest = pool.submit([] {});
    const auto newest = pool.submit([] {});
    EXPECT_TRUE(oldest.cancelled());
    pool.resume();
    newest.result();
  }
  {
    ThreadPoolExecutor pool(
        {.max_workers = 1, .max_pending = 1, .overflow = Overflow::caller_runs});
    pool.submit([] {}).wait();
    EXPECT_TRUE(at_rest(pool));
    pool.pause();
    const auto queued = pool.submit([] {});
    EXPECT_TRUE(pool.submit([] {}).done());
    EXPECT_FALSE(queued.done());
    pool.resume();
    queued.result();
  }
}

// ---- Lanes, pause

TEST(ThreadPoolExecutor, AMoreUrgentLaneGoesFirst) {
  ThreadPoolExecutor pool({.max_workers = 1, .priorities = 3});
  std::vector<int> order;
  {
    Plug plug(pool);
    for (int i = 0; i < 2; ++i) {
      pool.lane(2).post([&order] { order.push_back(2); });
      pool.post([&order] { order.push_back(1); });
      pool.lane(0).post([&order] { order.push_back(0); });
    }
  }
  pool.shutdown();
  EXPECT_EQ(order, (std::vector{0, 0, 1, 1, 2, 2}));
  EXPECT_THROW(static_cast<void>(pool.lane(3)), std::invalid_argument);
}

TEST(ThreadPoolExecutor, NothingBeginsWhileItIsPaused) {
  ThreadPoolExecutor pool(2);
  pool.submit([] {}).wait();
  EXPECT_TRUE(at_rest(pool));
  pool.pause();
  std::vector<Future<void>> futures;
  for (int i = 0; i < 10; ++i) futures.push_back(pool.submit([] {}));
  EXPECT_TRUE(eventually([&pool] { return pool.stats().idle == pool.stats().workers; }));
  EXPECT_EQ(pool.stats().queued, 10U);
  EXPECT_EQ(conc::wait(futures, conc::ReturnWhen::first_completed, 5ms).done.size(), 0U);
  pool.resume();
  conc::wait(futures);
  EXPECT_TRUE(at_rest(pool));
}

TEST(ThreadPoolExecutor, AWorkerSleepsWhileItIsPausedFromTheBeginning) {
  ThreadPoolExecutor pool(2);
  pool.pause();
  const auto future = pool.submit([] {});
  EXPECT_TRUE(eventually([&pool] { return pool.stats().idle == 1; }));
  EXPECT_FALSE(future.done());
  pool.resume();
  future.result();
}

TEST(ThreadPoolExecutor, APausedTaskMayStillWaitForItsChild) {
  ThreadPoolExecutor pool(2);
  pool.submit([&pool] {
        pool.pause();
        pool.submit([] {}).result();
        pool.resume();
      })
      .result();
}

TEST(ThreadPoolExecutor, ShutdownOfAPausedPoolRunsWhatIsQueued) {
  ThreadPoolExecutor pool(1);
  pool.pause();
  const auto future = pool.submit([] { return 1; });
  pool.shutdown();
  EXPECT_EQ(future.result(), 1);
}

// ---- Statistics

TEST(ThreadPoolExecutor, CountsACallBeforeItsFutureIsDone) {
  ThreadPoolExecutor pool(2);
  for (std::size_t i = 1; i <= 100; ++i) {
    pool.submit([] {}).wait();
    EXPECT_EQ(pool.stats().done, i);
  }
  const auto stats = pool.stats();
  EXPECT_EQ(stats.submitted, 100U);
  EXPECT_GT(stats.run.most, 0ns);
  EXPECT_GE(stats.run.most, stats.run.p99);
  EXPECT_GE(stats.run.p99, stats.run.p90);
  EXPECT_GE(stats.run.p90, stats.run.median);
}

}  // namespace

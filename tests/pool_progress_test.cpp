// What a pool has taken gets its turn, whatever the pool and its workers are about to do.
#include <conc/event.hpp>
#include <conc/future.hpp>
#include <conc/promise.hpp>
#include <conc/thread_pool_executor.hpp>
#include <conc/wait.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <numeric>
#include <optional>
#include <thread>
#include <vector>

#include <time.h>

#include "allocations.hpp"
#include "eventually.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Event;
using conc::Future;
using conc::Overflow;
using conc::ThreadPoolExecutor;
using conc::test::eventually;

// Whether the calling thread's clock stands still while the thread does not run.
constinit thread_local bool counts_own_time_only = false;

}  // namespace

// In place of the standard library's, so that a worker takes calls for as short as they are on a
// machine that has nothing else to do.
std::chrono::steady_clock::time_point std::chrono::_V2::steady_clock::now() noexcept {
  ::timespec time{};
  ::clock_gettime(counts_own_time_only ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return time_point(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

namespace {

// ---- Paused, and shut down

TEST(PausedPool, ShutdownRunsWhatATaskHasSubmittedAndAllWorkersWaitFor) {
  ThreadPoolExecutor pool(1);
  Event paused;
  const auto task = pool.submit([&] {
    paused.wait();
    std::vector children{pool.submit([] {}), pool.submit([] {})};
    return conc::when_all(children).wait(30s);
  });
  ASSERT_TRUE(eventually([&task] { return task.running(); }));
  pool.pause();
  paused.set();
  ASSERT_TRUE(eventually([&pool] { return pool.stats().queued == 2; }));
  pool.shutdown();
  EXPECT_TRUE(task.result());
}

TEST(PausedPool, KeepsTheWorkerOfWhatIsQueuedThoughItIsIdleForTooLong) {
  ThreadPoolExecutor pool({.max_workers = 2, .idle_timeout = 1ms});
  Event paused;
  const auto task = pool.submit([&] {
    paused.wait();
    return pool.submit([] { return 7; });
  });
  ASSERT_TRUE(eventually([&task] { return task.running(); }));
  pool.pause();
  paused.set();
  const auto child = task.result();
  // Long enough for one that leaves to have left; there is nothing to ask for.
  static_cast<void>(child.wait(50ms));
  EXPECT_GE(pool.stats().workers, 1U);
  EXPECT_EQ(pool.stats().queued, 1U);
  pool.shutdown();
  ASSERT_TRUE(child.done());
  EXPECT_EQ(child.result(), 7);
}

TEST(PausedPool, AWorkerWhoseReservedCallsAreCancelledComesForOthers) {
  ThreadPoolExecutor pool(2);
  for (int i = 0; i < 50; ++i) {  // so short that a worker reserves several
    std::vector<Future<void>> calls;
    for (int n = 0; n < 100; ++n) calls.push_back(pool.submit([] {}));
    conc::wait(calls);
  }
  Event paused;
  Event go_on;
  std::atomic<bool> at_its_last{false};
  conc::Promise<Future<void>> child;
  const auto parent = pool.submit([&] {
    paused.wait();
    const auto mine = pool.submit([] {});
    child.set_result(mine);
    return conc::when_all(std::vector{mine}).wait(10s);
  });
  ASSERT_TRUE(eventually([&parent] { return parent.running(); }));
  std::vector<int> numbers(3000);
  std::iota(numbers.begin(), numbers.end(), 0);
  constexpr int last = 2900;
  const auto calls = pool.submit_each(
      [&](int number) {
        if (number != last) return;
        at_its_last = true;
        go_on.wait();
      },
      numbers);
  ASSERT_TRUE(eventually([&] { return at_its_last.load(); }));
  pool.pause();
  paused.set();
  static_cast<void>(child.future().result());
  for (std::size_t i = last + 1; i != calls.size(); ++i) calls[i].cancel();
  go_on.set();
  calls[last].wait();
  pool.shutdown(false);
  EXPECT_TRUE(parent.result());
}

TEST(PausedPool, ItsWorkersSleepHoweverShortTheyMayBeIdleAndLeaveAfterIt) {
  constexpr std::size_t workers = 2;
  ThreadPoolExecutor pool({.max_workers = workers, .idle_timeout = 0ns});
  std::vector<Future<void>> busy;
  Event paused;
  for (std::size_t i = 0; i < workers; ++i) {
    busy.push_back(pool.submit([&paused] { paused.wait(); }));
    ASSERT_TRUE(eventually([&busy] { return busy.back().running(); }));
  }
  pool.pause();
  paused.set();
  ASSERT_TRUE(eventually([&pool] { return pool.stats().idle == workers; }));
  for (int i = 0; i < 2000; ++i) {
    ASSERT_EQ(pool.stats().idle, workers);
    std::this_thread::yield();
  }
  pool.resume();
  EXPECT_TRUE(eventually([&pool] { return pool.stats().workers == 0; }));
}

// ---- A worker in its initializer

TEST(Initializer, ThatTakesLongHoldsUpNoCallWhileOthersAreIdle) {
  constexpr int idle = 2;
  Event go_on;
  std::atomic<int> begun{0};
  ThreadPoolExecutor pool({.max_workers = 2 * idle, .initializer = [&] {
                             if (++begun > idle) go_on.wait();
                           }});
  Event go;
  std::vector<Future<void>> busy;
  for (int i = 0; i < idle; ++i) {
    busy.push_back(pool.submit([&go] { go.wait(); }));
    ASSERT_TRUE(eventually([&busy] { return busy.back().running(); }));
  }
  std::vector<Future<void>> queued;
  for (int i = 0; i < idle; ++i) {
    queued.push_back(pool.submit([] {}));
    ASSERT_TRUE(eventually([&] { return begun == idle + 1 + i; }));
  }
  go.set();
  conc::wait(queued);
  ASSERT_TRUE(eventually([&pool] { return pool.stats().idle == idle; }));
  EXPECT_TRUE(pool.submit([] {}).wait(5s));
  ASSERT_TRUE(eventually([&pool] { return pool.stats().idle == idle; }));
  // The first of them waits for the other, which a second worker must come for.
  Event other_ran;
  const auto calls = pool.submit_each(
      [&other_ran](bool first) {
        if (!first) other_ran.set();
        return other_ran.wait(5s);
      },
      std::vector{true, false});
  EXPECT_TRUE(calls.front().result());
  go_on.set();
}

// ---- What another worker has reserved

TEST(Reserved, CallsAreNotLeftBehindThoseThatKeepComing) {
  constexpr int turns = 3;
  for (int turn = 0; turn < turns; ++turn) {
    ThreadPoolExecutor pool(2);
    std::atomic<long> ran{0};
    const auto add_short_calls = [&](int n) {
      for (int i = 0; i < n; ++i) {
        pool.post([&ran] {
          counts_own_time_only = true;
          ++ran;
        });
      }
    };
    Event free;
    std::atomic<long> begun{0};
    std::atomic<long> freed{0};
    std::atomic<bool> in_time{false};
    pool.pause();
    add_short_calls(100'000);
    pool.post([&] {
      counts_own_time_only = false;
      begun = ran.load();
      in_time = free.wait(10s);
    });
    pool.post([&] {
      freed = ran.load();
      free.set();
    });
    add_short_calls(200'000);
    pool.shutdown();
    EXPECT_TRUE(in_time);
    EXPECT_LT(freed - begun, 20'000) << "of 200,000 that were submitted later";
  }
}

// ---- Room

TEST(CallerRuns, ACallThatDestroysThePoolComesBack) {
  auto pool = std::make_unique<ThreadPoolExecutor>(conc::ThreadPoolOptions{
      .max_workers = 1, .max_pending = 1, .overflow = Overflow::caller_runs});
  Event go_on;
  const auto busy = pool->submit([&go_on] { go_on.wait(); });
  ASSERT_TRUE(eventually([&busy] { return busy.running(); }));
  const auto queued = pool->submit([] {});
  const auto here = pool->submit([&] {
    go_on.set();
    pool.reset();
  });
  EXPECT_TRUE(here.done());
  EXPECT_TRUE(queued.done());
}

TEST(Cancelled, CallsLeaveTheirPlacesToThoseThatFollow) {
  Event go_on;
  ThreadPoolExecutor pool({.max_workers = 1, .max_pending = 4, .overflow = Overflow::reject});
  const auto busy = pool.submit([&go_on] { go_on.wait(); });
  ASSERT_TRUE(eventually([&busy] { return busy.running(); }));
  const auto submit_and_cancel = [&pool](std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) EXPECT_TRUE(pool.submit([] {}).cancel());
  };
  submit_and_cancel(2000);
  const std::size_t before = conc::test::allocations;
  constexpr std::size_t n = 10'000;
  submit_and_cancel(n);
  EXPECT_EQ(conc::test::allocations - before, n) << "one for each future, and none for the queue";
  go_on.set();
  busy.wait();
  EXPECT_EQ(pool.submit([] { return 3; }).result(), 3);
}

// ---- Counts

TEST(Counts, FitTogetherWhileReservedCallsAreCancelled) {
  ThreadPoolExecutor pool(2);
  std::atomic<bool> stop{false};
  std::size_t wrong = 0;
  std::thread looker([&] {
    while (!stop) {
      const auto now = pool.stats();
      if (now.submitted != now.queued + now.running + now.done + now.failed + now.cancelled) {
        ++wrong;
      }
    }
  });
  std::vector<int> numbers(400);
  std::iota(numbers.begin(), numbers.end(), 0);
  for (int round = 0; round < 300; ++round) {
    std::atomic<bool> begun{false};
    Event go_on;
    const auto calls = pool.submit_each(
        [&](int number) {
          if (number != 200 && number != 300) return;
          begun = true;
          go_on.wait();
        },
        numbers);
    EXPECT_TRUE(eventually([&begun] { return begun.load(); }));
    for (std::size_t i = calls.size(); i-- != 0;) {
      if (i != 200 && i != 300) calls[i].cancel();
    }
    go_on.set();
    conc::wait(calls);
  }
  stop = true;
  looker.join();
  EXPECT_EQ(wrong, 0U);
}

TEST(Counts, KnowNoLongWaitOfACallThatRunsAtOnce) {
  for (int i = 0; i < 100; ++i) {
    ThreadPoolExecutor pool(1);
    // By a new thread: each of the first calls that a thread submits is measured.
    pool.submit([&pool] {
          for (int n = 0; n < 250; ++n) pool.submit([] {}).wait();
        })
        .wait();
    EXPECT_LT(pool.stats().wait.most, 60s);
  }
}

}  // namespace

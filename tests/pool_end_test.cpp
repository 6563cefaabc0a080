// How a pool ends: what it refuses and cancels, and who may shut it down or destroy it, and where.
#include <conc/errors.hpp>
#include <conc/event.hpp>
#include <conc/future.hpp>
#include <conc/hooks.hpp>
#include <conc/thread_pool_executor.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "eventually.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Event;
using conc::Future;
using conc::Overflow;
using conc::ThreadPoolExecutor;
using conc::test::eventually;

// ---- Calls that come while it ends

// Submits to the pool until that refuses.
class Submitters {
 public:
  template <class Call>
  Submitters(ThreadPoolExecutor& pool, Call call) {
    for (auto& submitter : threads_) {
      submitter = std::thread([this, &pool, call] {
        ++begun_;
        try {
          for (;;) pool.post(call);
        } catch (const conc::Error&) {  // broken
        } catch (const conc::UsageError&) {
        }
      });
    }
    EXPECT_TRUE(eventually([this] { return begun_ == threads_.size(); }));
  }
  void join() {
    for (auto& submitter : threads_) submitter.join();
  }

 private:
  std::array<std::thread, 3> threads_;
  std::atomic<std::size_t> begun_{0};
};

TEST(PoolEnd, NothingIsQueuedBehindAShutdownThatCancels) {
  for (int round = 0; round < 400; ++round) {
    Event go;
    std::atomic<bool> closed{false};
    std::atomic<int> late{0};
    ThreadPoolExecutor pool(1);
    const auto busy = pool.submit([&go] { go.wait(); });
    ASSERT_TRUE(eventually([&busy] { return busy.running(); }));
    for (int i = 0; i < 1000; ++i) pool.post([] {});  // what takes the shutdown a moment
    Submitters submitters(pool, [&] {
      if (closed) ++late;
    });
    pool.shutdown(false, true);
    submitters.join();
    closed = true;
    go.set();
    pool.shutdown();
    ASSERT_EQ(late, 0);
  }
}

TEST(PoolEnd, ABrokenPoolLeavesNoCallBehindThatItTook) {
  conc::set_report_hook([](const conc::Report&) {});
  for (int round = 0; round < 400; ++round) {
    Event go;
    ThreadPoolExecutor pool({.max_workers = 1, .initializer = [&go] {
                               go.wait();
                               throw 1;
                             }});
    for (int i = 0; i < 1000; ++i) pool.post([] {});
    Submitters submitters(pool, [] {});
    go.set();
    submitters.join();
    pool.shutdown();
    const auto stats = pool.stats();
    ASSERT_EQ(stats.queued, 0U);
    ASSERT_EQ(stats.cancelled, stats.submitted);
  }
  conc::set_report_hook(nullptr);
}

// Notes what its future says of itself while the call that holds it is destroyed.
struct Captured {
  Captured(std::shared_ptr<Future<void>> its_call, std::atomic<int>& what_it_saw)
      : call(std::move(its_call)), seen(&what_it_saw) {}
  Captured(Captured&&) noexcept = default;
  Captured& operator=(Captured&&) = delete;
  ~Captured() {
    if (call != nullptr) *seen = (call->running() ? 1 : 0) + (call->cancel() ? 0 : 2) + 4;
  }
  std::shared_ptr<Future<void>> call;
  std::atomic<int>* seen;
};

TEST(PoolEnd, ACallThatItCancelsWasNeverRunning) {
  Event go;
  ThreadPoolExecutor pool(1);
  const auto busy = pool.submit([&go] { go.wait(); });
  std::atomic<int> seen{0};
  const auto call = std::make_shared<Future<void>>();
  *call = pool.submit([captured = Captured(call, seen)] {});
  pool.shutdown(false, true);
  EXPECT_EQ(seen, 4) << "1: running, 2: too late to cancel";
  EXPECT_TRUE(call->cancelled());
  go.set();
}

// ---- Destroyed by a call

TEST(PoolEnd, ACallMayDestroyItWhileTheSubmitterIsOnItsWayOut) {
  for (int round = 0; round < 300; ++round) {
    auto pool = std::make_unique<ThreadPoolExecutor>(2);
    auto* const raw = pool.get();
    std::atomic<bool> busy{false};
    std::atomic<bool> gone{false};
    // Comes for the next call at about the time when that is submitted.
    raw->post([&busy, n = round % 200 * 10] {
      busy = true;
      for (std::atomic<int> i{0}; i < n; ++i) {
      }
    });
    while (!busy) {
    }
    raw->post([pool = std::move(pool), &gone]() mutable {
      pool.reset();
      gone = true;
    });
    while (!gone) std::this_thread::yield();
  }
}

// A pool that a callback destroys: that of the oldest call, which `cancel` cancels.
template <class Cancel>
void expect_alive_in(Cancel&& cancel) {
  const auto alive = std::make_shared<int>();
  auto pool = std::make_unique<ThreadPoolExecutor>(
      conc::ThreadPoolOptions{.max_workers = 1,
                              .initializer = [alive] { EXPECT_TRUE(alive); },
                              .max_pending = 1,
                              .overflow = Overflow::drop_oldest});
  Event go;
  const auto busy = pool->submit([&go] { go.wait(); });
  ASSERT_TRUE(eventually([&busy] { return busy.running(); }));
  const auto oldest = pool->submit([] {});
  long holders = 0;
  oldest.add_done_callback([&](const auto&) {
    go.set();
    pool.reset();
    holders = alive.use_count();
  });
  cancel(*pool);
  EXPECT_TRUE(oldest.cancelled());
  EXPECT_GT(holders, 1) << "whoever is in there needs the pool on the way out";
  EXPECT_TRUE(eventually([&alive] { return alive.use_count() == 1; }));
}

TEST(PoolEnd, TheCallbackOfACallThatIsDroppedMayDestroyIt) {
  expect_alive_in([](ThreadPoolExecutor& pool) { pool.post([] {}); });
}

TEST(PoolEnd, TheCallbackOfACallThatTheShutdownCancelsMayDestroyIt) {
  expect_alive_in([](ThreadPoolExecutor& pool) { pool.shutdown(true, true); });
}

// ---- Its threads' last steps, where objects of the user's end

struct AtThreadEnd {
  ~AtThreadEnd() {
    if (call) call();
  }
  std::function<void()> call;
};
thread_local AtThreadEnd at_thread_end;

TEST(PoolEnd, AThreadMayShutItDownInItsLastSteps) {
  std::atomic<bool> returned{false};
  ThreadPoolExecutor pool({.max_workers = 1, .idle_timeout = 1ms});
  pool.post([&] {
    at_thread_end.call = [&] {
      pool.shutdown();
      returned = true;
    };
  });
  EXPECT_TRUE(eventually([&returned] { return returned.load(); }));
}

TEST(PoolEnd, AThreadMayShutItDownInItsLastStepsWhenAnotherHasTakenItsPlace) {
  std::atomic<bool> returned{false};
  std::atomic<bool> replaced{false};
  ThreadPoolExecutor pool({.max_workers = 1, .idle_timeout = 1ms});
  pool.post([&] {
    at_thread_end.call = [&] {
      pool.post([&replaced] { replaced = true; });
      EXPECT_TRUE(eventually([&replaced] { return replaced.load(); }));
      pool.shutdown();
      returned = true;
    };
  });
  EXPECT_TRUE(eventually([&returned] { return returned.load(); }));
}

TEST(PoolEnd, AThreadMayDestroyItInItsLastSteps) {
  const auto alive = std::make_shared<int>();
  auto pool = std::make_unique<ThreadPoolExecutor>(conc::ThreadPoolOptions{
      .max_workers = 1, .initializer = [alive] { EXPECT_TRUE(alive); }, .idle_timeout = 1ms});
  std::atomic<bool> gone{false};
  pool->post([&] {
    at_thread_end.call = [&] {
      pool.reset();
      gone = true;
    };
  });
  EXPECT_TRUE(eventually([&gone] { return gone.load(); }));
  EXPECT_TRUE(eventually([&alive] { return alive.use_count() == 1; }));
}

TEST(PoolEnd, EachOfThoseWhoShutItDownWaitsForTheLastStepsOfItsThreads) {
  std::atomic<bool> ending{false};
  std::atomic<bool> end{false};
  std::atomic<bool> ended{false};
  ThreadPoolExecutor pool(1);
  pool.submit([&] {
        at_thread_end.call = [&] {
          ending = true;
          EXPECT_TRUE(eventually([&end] { return end.load(); }));
          ended = true;
        };
      })
      .wait();
  pool.shutdown(false);
  ASSERT_TRUE(eventually([&ending] { return ending.load(); }));
  Event returned;
  const auto shut_down = [&] {
    pool.shutdown();
    EXPECT_TRUE(ended);
    returned.set();
  };
  std::thread one(shut_down);
  std::thread other(shut_down);
  // Long enough for one that does not wait; there is nothing to ask for.
  EXPECT_FALSE(returned.wait(50ms));
  end = true;
  one.join();
  other.join();
}

}  // namespace

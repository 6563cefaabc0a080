// Every call that a pool has taken over runs exactly once, or its future says why not.
#include <conc/as_completed.hpp>
#include <conc/errors.hpp>
#include <conc/promise.hpp>
#include <conc/thread_pool_executor.hpp>
#include <conc/wait.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gate.hpp"
#include "stress.hpp"

namespace {

using conc::Future;
using conc::ThreadPoolExecutor;
using conc::test::Dice;
using conc::test::rounds;

constexpr std::size_t submitters = 8;

// A call that says whether it ran, and whether it is still there.
struct Ledger {
  std::atomic<std::int64_t> accepted{0};
  std::atomic<std::int64_t> ran{0};
  std::atomic<std::int64_t> alive{0};
};

class Entry {
 public:
  explicit Entry(Ledger& ledger) : ledger_(&ledger) { ++ledger_->alive; }
  Entry(Entry&& other) noexcept : ledger_(std::exchange(other.ledger_, nullptr)) {}
  ~Entry() {
    if (ledger_ != nullptr) --ledger_->alive;
  }
  void run() const { ++ledger_->ran; }

 private:
  Ledger* ledger_;
};

struct Outcomes {
  std::int64_t values = 0;
  std::int64_t errors = 0;
  std::int64_t cancelled = 0;
};

void count(const Future<int>& future, Outcomes& outcomes) {
  ASSERT_TRUE(future.done());
  if (future.cancelled()) {
    ++outcomes.cancelled;
  } else if (future.exception() != nullptr) {
    ++outcomes.errors;
  } else {
    ++outcomes.values;
  }
}

void submit_from_everywhere(conc::ThreadPoolOptions options, bool shutdown, bool cancel_futures) {
  Ledger ledger;
  std::vector<std::vector<Future<int>>> futures(submitters);
  auto pool = std::make_unique<ThreadPoolExecutor>(std::move(options));
  conc::test::together(submitters + 1, [&](std::size_t me) {
    if (me == submitters) {
      if (shutdown) pool->shutdown(cancel_futures, cancel_futures);
      return;
    }
    Dice dice(static_cast<unsigned>(me + 1));
    auto& mine = futures[me];
    for (std::int64_t i = rounds(2000); i > 0; --i) {
      try {
        switch (dice.roll(6)) {
          case 0:
            mine.push_back(pool->submit([entry = Entry(ledger)]() -> int {
              entry.run();
              throw std::runtime_error("task");
            }));
            break;
          case 1:  // from a task
            mine.push_back(pool->submit([entry = Entry(ledger), &ledger, p = pool.get()] {
              entry.run();
              int sum = 0;
              try {
                const auto child = p->submit([inner = Entry(ledger)] {
                  inner.run();
                  return 1;
                });
                ++ledger.accepted;
                sum = child.result();
              } catch (const conc::UsageError&) {
              } catch (const conc::CancelledError&) {
                --ledger.accepted;
              }
              return sum;
            }));
            break;
          case 2:  // from a callback
            mine.push_back(pool->submit([entry = Entry(ledger)] {
              entry.run();
              return 2;
            }));
            mine.back().add_done_callback(
                [](const Future<int>& done) { static_cast<void>(done.cancel()); });
            break;
          default:
            mine.push_back(pool->submit([entry = Entry(ledger)](std::stop_token) {
              entry.run();
              return 3;
            }));
        }
        ++ledger.accepted;
      } catch (const conc::UsageError&) {
        EXPECT_TRUE(shutdown);
      } catch (const conc::Full&) {
      }
      if (!mine.empty() && dice.roll(3) == 0) {
        mine[static_cast<std::size_t>(dice.roll(static_cast<int>(mine.size())))].cancel();
      }
      if (!mine.empty() && dice.roll(50) == 0) mine.back().wait();
    }
  });
  pool->shutdown();
  const auto stats = pool->stats();
  pool.reset();

  Outcomes outcomes;
  for (const auto& mine : futures) {
    for (const auto& future : mine) count(future, outcomes);
  }
  EXPECT_EQ(ledger.alive, 0);
  EXPECT_EQ(ledger.ran + outcomes.cancelled, ledger.accepted);
  EXPECT_EQ(stats.queued, 0U);
  EXPECT_EQ(stats.running, 0U);
  EXPECT_EQ(stats.workers, 0U);
}

TEST(ExecutorStress, EveryCallRunsOnceOrSaysWhyNot) {
  submit_from_everywhere({.max_workers = 3}, false, false);
  submit_from_everywhere({.max_workers = 1}, false, false);
}

TEST(ExecutorStress, ShutdownInTheMiddleRunsWhatWasAccepted) {
  submit_from_everywhere({.max_workers = 3}, true, false);
}

TEST(ExecutorStress, ShutdownInTheMiddleCancelsWhatHasNotBegun) {
  submit_from_everywhere({.max_workers = 3}, true, true);
}

TEST(ExecutorStress, AFullQueueLosesNothing) {
  for (const auto overflow : {conc::Overflow::block, conc::Overflow::reject,
                              conc::Overflow::caller_runs, conc::Overflow::drop_oldest}) {
    submit_from_everywhere({.max_workers = 2, .max_pending = 4, .overflow = overflow}, false,
                           false);
  }
}

TEST(ExecutorStress, LanesAndThreadsThatComeAndGoLoseNothing) {
  submit_from_everywhere({.max_workers = 3, .priorities = 3}, false, false);
  submit_from_everywhere({.max_workers = 3, .idle_timeout = std::chrono::nanoseconds(1)}, false,
                         false);
}

TEST(ExecutorStress, EveryPostRunsOnce) {
  std::atomic<std::int64_t> ran = 0;
  const std::int64_t each = rounds(20'000);
  {
    ThreadPoolExecutor pool(4);
    conc::test::together(submitters, [&](std::size_t) {
      for (std::int64_t i = 0; i < each; ++i) {
        pool.post([&ran, &pool, i] {
          ++ran;
          if (i % 8 == 0 && i % 16 != 0) {
            pool.submit([&ran] { ++ran; }).wait();
          } else if (i % 16 == 0) {
            ++ran;
          }
        });
      }
      static_cast<void>(pool.stats());
    });
    pool.submit([] {}).wait();
    while (pool.stats().done + pool.stats().failed != pool.stats().submitted)
      std::this_thread::yield();
  }
  EXPECT_EQ(ran, static_cast<std::int64_t>(submitters) * (each + (each + 7) / 8));
}

TEST(ExecutorStress, PausingLosesNothing) {
  ThreadPoolExecutor pool(3);
  std::atomic<std::int64_t> ran = 0;
  const std::int64_t each = rounds(3000);
  conc::test::together(4, [&](std::size_t me) {
    for (std::int64_t i = 0; i < each; ++i) {
      if (me == 0) {
        pool.pause();
        std::this_thread::yield();
        pool.resume();
      } else {
        pool.post([&ran] { ++ran; });
      }
    }
  });
  pool.shutdown();
  EXPECT_EQ(ran, 3 * each);
}

int fib(ThreadPoolExecutor& pool, int n) {
  if (n < 2) return n;
  const auto left = pool.submit(fib, std::ref(pool), n - 1);
  const int right = fib(pool, n - 2);
  return left.result() + right;
}

TEST(ExecutorStress, ForkAndJoinFromSeveralThreads) {
  ThreadPoolExecutor pool(2);
  conc::test::together(3, [&](std::size_t) {
    for (std::int64_t i = rounds(3); i > 0; --i) {
      EXPECT_EQ(pool.submit(fib, std::ref(pool), 16).result(), 987);
    }
  });
}

TEST(FutureStress, SetCancelWaitAndCallbacksAtOnce) {
  for (std::int64_t i = rounds(3000); i > 0; --i) {
    conc::Promise<int> promise;
    const auto future = promise.future();
    std::atomic<int> called = 0;
    std::atomic<int> decided = 0;
    conc::test::together(3, [&](std::size_t me) {
      switch (me) {
        case 0:
          try {
            promise.set_result(1);
            ++decided;
          } catch (const conc::InvalidStateError&) {
          }
          break;
        case 1:
          if (future.cancel()) ++decided;
          break;
        default:
          future.add_done_callback([&called](const Future<int>&) { ++called; });
          future.wait();
      }
    });
    EXPECT_EQ(decided, 1);
    EXPECT_EQ(called, 1);
  }
}

}  // namespace

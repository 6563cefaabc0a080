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

}  // namespace

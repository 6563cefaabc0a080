// What is measured of a pool: any class made with its number of workers that has
//
//   post(f)      queues f; the destructor runs what is queued
//   spawn(f)     the same, from a task of the pool
//   submit(f)    returns a future with wait(), and result() or get()
//
// as far as the rows need it.
#pragma once

#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

namespace conc::bench {

template <class Future>
int value_of(Future& future) {
  if constexpr (requires { future.result(); }) {
    return future.result();
  } else {
    return future.get();
  }
}

// Waits until a number of calls have run, without a word of the pool.
class Countdown {
 public:
  explicit Countdown(std::int64_t n) : left_(n) {}
  void hit() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      done_.store(true, std::memory_order_release);
      done_.notify_all();
    }
  }
  void wait() { done_.wait(false, std::memory_order_acquire); }

 private:
  std::atomic<std::int64_t> left_;
  std::atomic<bool> done_{false};
};

// The empty task: counting each would measure the counter. The last of a batch says that all before
// it were taken.
template <class Pool>
void executor_post_empty(benchmark::State& state) {
  const auto workers = static_cast<std::size_t>(state.range(0));
  const auto submitters = static_cast<std::size_t>(state.range(1));
  const std::int64_t n = state.range(2);
  for (auto _ : state) {
    auto pool = std::make_unique<Pool>(workers);
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < submitters; ++i) {
      threads.emplace_back([&] {
        for (std::int64_t k = 0; k < n / static_cast<std::int64_t>(submitters); ++k)
          pool->post([] {});
      });
    }
    for (std::int64_t k = 0; k < n / static_cast<std::int64_t>(submitters); ++k) pool->post([] {});
    for (std::thread& thread : threads) thread.join();
    pool.reset();  // runs what is queued
  }
  state.SetItemsProcessed(state.iterations() * n);
}

template <class Pool>
void executor_submit_empty(benchmark::State& state) {
  const auto workers = static_cast<std::size_t>(state.range(0));
  const std::int64_t n = state.range(1);
  for (auto _ : state) {
    Pool pool(workers);
    std::vector<decltype(pool.submit([] {}))> futures;
    futures.reserve(static_cast<std::size_t>(n));
    for (std::int64_t k = 0; k < n; ++k) futures.push_back(pool.submit([] {}));
    for (auto& future : futures) future.wait();
  }
  state.SetItemsProcessed(state.iterations() * n);
}

template <class Pool>
void executor_round_trip(benchmark::State& state) {
  Pool pool(2);
  for (auto _ : state) {
    auto future = pool.submit([] { return 1; });
    benchmark::DoNotOptimize(value_of(future));
  }
}

class OneCpu {
 public:
  OneCpu() {
#if defined(__linux__)
    sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
    sched_setaffinity(0, sizeof one, &one);
#endif
  }
  ~OneCpu() {
#if defined(__linux__)
    sched_setaffinity(0, sizeof before_, &before_);
#endif
  }

 private:
#if defined(__linux__)
  cpu_set_t before_{};
#endif
};

template <class Pool>
void executor_round_trip_one_cpu(benchmark::State& state) {
  const OneCpu pinned;  // inherited by the threads of the pool
  executor_round_trip<Pool>(state);
}

inline void spin_for(std::chrono::nanoseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
}

template <class Pool>
void executor_one_microsecond(benchmark::State& state) {
  const std::int64_t n = state.range(0);
  for (auto _ : state) {
    Pool pool(2);
    Countdown countdown(n);
    for (std::int64_t k = 0; k < n; ++k) {
      pool.post([&countdown] {
        spin_for(std::chrono::microseconds(1));
        countdown.hit();
      });
    }
    countdown.wait();
  }
  state.SetItemsProcessed(state.iterations() * n);
}

template <class Pool>
struct SpawnTree {
  Pool& pool;
  Countdown& leaves;
  int depth;
  void operator()() const {
    if (depth == 0) return leaves.hit();
    pool.spawn(SpawnTree{pool, leaves, depth - 1});
    pool.spawn(SpawnTree{pool, leaves, depth - 1});
  }
};

template <class Pool>
void executor_spawn_tree(benchmark::State& state) {
  const int depth = static_cast<int>(state.range(0));
  for (auto _ : state) {
    Pool pool(2);
    Countdown leaves(std::int64_t{1} << depth);
    pool.post(SpawnTree<Pool>{pool, leaves, depth});
    leaves.wait();
  }
  state.SetItemsProcessed(state.iterations() * (std::int64_t{2} << depth));
}

// ---- The rows. `suffix` is empty for conc, and names the rival otherwise: "_std".

template <class Pool>
bool post_rows(const std::string& suffix) {
  const std::string name = "BM_Executor_";
  // Workers, submitters, calls.
  benchmark::RegisterBenchmark((name + "Post" + suffix).c_str(), executor_post_empty<Pool>)
      ->Args({2, 1, 1'000'000})
      ->Args({4, 1, 1'000'000})
      ->Args({2, 4, 1'000'000})
      ->Args({4, 4, 1'000'000})
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark((name + "OneMicrosecond" + suffix).c_str(),
                               executor_one_microsecond<Pool>)
      ->Arg(100'000)
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark((name + "SpawnTree" + suffix).c_str(), executor_spawn_tree<Pool>)
      ->Arg(18)
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
  return true;
}

template <class Pool>
bool submit_rows(const std::string& suffix) {
  benchmark::RegisterBenchmark(("BM_Executor_Submit" + suffix).c_str(), executor_submit_empty<Pool>)
      ->Args({2, 1'000'000})
      ->Args({4, 1'000'000})
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
  return true;
}

template <class Pool>
bool round_trip_rows(const std::string& suffix) {
  const std::string name = "BM_Executor_RoundTrip";
  benchmark::RegisterBenchmark((name + suffix).c_str(), executor_round_trip<Pool>)->UseRealTime();
  benchmark::RegisterBenchmark((name + "OneCpu" + suffix).c_str(),
                               executor_round_trip_one_cpu<Pool>)
      ->UseRealTime();
  return true;
}

}  // namespace conc::bench

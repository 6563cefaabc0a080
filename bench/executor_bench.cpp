// Futures and the thread pool, beside a pool as it is written by hand: std::queue, std::mutex,
// std::condition_variable and std::packaged_task.
#include <conc/executor.hpp>
#include <conc/future.hpp>
#include <conc/promise.hpp>
#include <conc/thread_pool_executor.hpp>

#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <numeric>
#include <queue>
#include <thread>
#include <utility>
#include <vector>

#include "executor_rows.hpp"

namespace {

class StdPool {
 public:
  explicit StdPool(std::size_t workers) {
    for (std::size_t i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
  }
  ~StdPool() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  template <class F>
  void post(F f) {
    {
      const std::lock_guard lock(mutex_);
      tasks_.emplace(std::move(f));
    }
    changed_.notify_one();
  }
  template <class F>
  void spawn(F f) {
    post(std::move(f));
  }

  template <class F>
  auto submit(F f) {
    using R = std::invoke_result_t<F>;
    auto task = std::make_shared<std::packaged_task<R()>>(std::move(f));
    auto future = task->get_future();
    post([task = std::move(task)] { (*task)(); });
    return future;
  }

 private:
  void work() {
    for (;;) {
      std::function<void()> task;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return closed_ || !tasks_.empty(); });
        if (tasks_.empty()) return;
        task = std::move(tasks_.front());
        tasks_.pop();
      }
      task();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::queue<std::function<void()>> tasks_;
  std::vector<std::thread> threads_;
  bool closed_ = false;
};

// conc's pool under the same two names.
class ConcPool {
 public:
  explicit ConcPool(std::size_t workers) : pool_(static_cast<std::ptrdiff_t>(workers)) {}
  template <class F>
  void post(F f) {
    pool_.post(std::move(f));
  }
  template <class F>
  void spawn(F f) {
    pool_.post(std::move(f));
  }
  template <class F>
  auto submit(F f) {
    return pool_.submit(std::move(f));
  }
  conc::ThreadPoolExecutor& get() { return pool_; }

 private:
  conc::ThreadPoolExecutor pool_;
};

int fib(conc::ThreadPoolExecutor& pool, int n) {
  if (n < 2) return n;
  const auto left = pool.submit(fib, std::ref(pool), n - 1);
  const int right = fib(pool, n - 2);
  return left.result() + right;
}

template <class Pool>
void map_cheap(benchmark::State& state) {
  const std::size_t n = 1'000'000;
  const std::size_t chunk = static_cast<std::size_t>(state.range(0));
  std::vector<int> numbers(n);
  std::iota(numbers.begin(), numbers.end(), 0);
  Pool pool(2);  // stays, as the threads of std::execution::par do
  for (auto _ : state) {
    std::int64_t sum = 0;
    if constexpr (std::is_same_v<Pool, ConcPool>) {
      for (const int i : pool.get().map(
               {.chunksize = chunk}, [](int x) { return x ^ 1; }, numbers)) {
        sum += i;
      }
    } else {
      std::vector<std::future<std::vector<int>>> futures;
      for (std::size_t begin = 0; begin < n; begin += chunk) {
        futures.push_back(pool.submit([&numbers, begin, end = std::min(n, begin + chunk)] {
          std::vector<int> results;
          results.reserve(end - begin);
          for (std::size_t i = begin; i < end; ++i) results.push_back(numbers[i] ^ 1);
          return results;
        }));
      }
      for (auto& future : futures) {
        for (const int i : future.get()) sum += i;
      }
    }
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(n));
}

// A thread for each call: what one has without a pool.
class AsyncPool {
 public:
  explicit AsyncPool(std::size_t) {}
  template <class F>
  auto submit(F f) {
    return std::async(std::launch::async, std::move(f));
  }
};

// ---- The rows

[[maybe_unused]] const bool registered =
    conc::bench::post_rows<ConcPool>("") && conc::bench::post_rows<StdPool>("_std") &&
    conc::bench::submit_rows<ConcPool>("") && conc::bench::submit_rows<StdPool>("_std") &&
    conc::bench::round_trip_rows<ConcPool>("") && conc::bench::round_trip_rows<StdPool>("_std") &&
    conc::bench::round_trip_rows<AsyncPool>("_async");

void BM_Executor_Map(benchmark::State& state) { map_cheap<ConcPool>(state); }
void BM_Executor_Map_std(benchmark::State& state) { map_cheap<StdPool>(state); }

void BM_Executor_ForkJoinFib25(benchmark::State& state) {
  for (auto _ : state) {
    conc::ThreadPoolExecutor pool(2);
    benchmark::DoNotOptimize(pool.submit(fib, std::ref(pool), 25).result());
  }
}

void BM_Executor_ParallelFor(benchmark::State& state) {
  std::vector<int> numbers(1'000'000, 1);
  conc::ThreadPoolExecutor pool(2);
  for (auto _ : state) {
    pool.parallel_for(numbers, [](int& i) { i ^= 1; });
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * 1'000'000);
}

void BM_Future_CreateSetGet(benchmark::State& state) {
  for (auto _ : state) {
    conc::Promise<int> promise;
    const auto future = promise.future();
    promise.set_result(1);
    benchmark::DoNotOptimize(future.result());
  }
}
void BM_Future_CreateSetGet_std(benchmark::State& state) {
  for (auto _ : state) {
    std::promise<int> promise;
    auto future = promise.get_future();
    promise.set_value(1);
    benchmark::DoNotOptimize(future.get());
  }
}

BENCHMARK(BM_Executor_ForkJoinFib25)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Executor_Map)->Arg(4096)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Executor_Map_std)->Arg(4096)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Executor_ParallelFor)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Future_CreateSetGet);
BENCHMARK(BM_Future_CreateSetGet_std);

}  // namespace

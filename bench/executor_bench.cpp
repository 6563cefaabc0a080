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

#if defined(__linux__)
#include <sched.h>
#endif

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
  auto submit(F f) {
    return pool_.submit(std::move(f));
  }
  conc::ThreadPoolExecutor& get() { return pool_; }

 private:
  conc::ThreadPoolExecutor pool_;
};

int value_of(const conc::Future<int>& future) { return future.result(); }
int value_of(std::future<int>& future) { return future.get(); }

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
void post_empty(benchmark::State& state) {
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
void submit_empty(benchmark::State& state) {
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
void round_trip(benchmark::State& state) {
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
void round_trip_one_cpu(benchmark::State& state) {
  const OneCpu pinned;  // inherited by the threads of the pool
  round_trip<Pool>(state);
}

void spin_for(std::chrono::nanoseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
}

template <class Pool>
void one_microsecond(benchmark::State& state) {
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
struct Tree {
  Pool& pool;
  Countdown& leaves;
  int depth;
  void operator()() const {
    if (depth == 0) return leaves.hit();
    pool.post(Tree{pool, leaves, depth - 1});
    pool.post(Tree{pool, leaves, depth - 1});
  }
};

template <class Pool>
void spawn_tree(benchmark::State& state) {
  const int depth = static_cast<int>(state.range(0));
  for (auto _ : state) {
    Pool pool(2);
    Countdown leaves(std::int64_t{1} << depth);
    pool.post(Tree<Pool>{pool, leaves, depth});
    leaves.wait();
  }
  state.SetItemsProcessed(state.iterations() * (std::int64_t{2} << depth));
}

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
  for (auto _ : state) {
    std::int64_t sum = 0;
    Pool pool(2);
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

// ---- The rows

void BM_Executor_Post(benchmark::State& state) { post_empty<ConcPool>(state); }
void BM_Executor_Post_std(benchmark::State& state) { post_empty<StdPool>(state); }
void BM_Executor_Submit(benchmark::State& state) { submit_empty<ConcPool>(state); }
void BM_Executor_Submit_std(benchmark::State& state) { submit_empty<StdPool>(state); }
void BM_Executor_RoundTrip(benchmark::State& state) { round_trip<ConcPool>(state); }
void BM_Executor_RoundTrip_std(benchmark::State& state) { round_trip<StdPool>(state); }
void BM_Executor_RoundTripOneCpu(benchmark::State& state) { round_trip_one_cpu<ConcPool>(state); }
void BM_Executor_RoundTripOneCpu_std(benchmark::State& state) {
  round_trip_one_cpu<StdPool>(state);
}
void BM_Executor_OneMicrosecond(benchmark::State& state) { one_microsecond<ConcPool>(state); }
void BM_Executor_OneMicrosecond_std(benchmark::State& state) { one_microsecond<StdPool>(state); }
void BM_Executor_SpawnTree(benchmark::State& state) { spawn_tree<ConcPool>(state); }
void BM_Executor_SpawnTree_std(benchmark::State& state) { spawn_tree<StdPool>(state); }
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

// Arguments: workers, submitters, calls.
#define CONC_POST(row)          \
  BENCHMARK(row)                \
      ->Args({2, 1, 1'000'000}) \
      ->Args({4, 1, 1'000'000}) \
      ->Args({2, 4, 1'000'000}) \
      ->Args({4, 4, 1'000'000}) \
      ->UseRealTime()           \
      ->Unit(benchmark::kMillisecond)
CONC_POST(BM_Executor_Post);
CONC_POST(BM_Executor_Post_std);
#define CONC_SUBMIT(row)     \
  BENCHMARK(row)             \
      ->Args({2, 1'000'000}) \
      ->Args({4, 1'000'000}) \
      ->UseRealTime()        \
      ->Unit(benchmark::kMillisecond)
CONC_SUBMIT(BM_Executor_Submit);
CONC_SUBMIT(BM_Executor_Submit_std);
BENCHMARK(BM_Executor_RoundTrip)->UseRealTime();
BENCHMARK(BM_Executor_RoundTrip_std)->UseRealTime();
BENCHMARK(BM_Executor_RoundTripOneCpu)->UseRealTime();
BENCHMARK(BM_Executor_RoundTripOneCpu_std)->UseRealTime();
BENCHMARK(BM_Executor_OneMicrosecond)->Arg(100'000)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Executor_OneMicrosecond_std)
    ->Arg(100'000)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Executor_SpawnTree)->Arg(18)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Executor_SpawnTree_std)->Arg(18)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Executor_ForkJoinFib25)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Executor_Map)->Arg(4096)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Executor_Map_std)->Arg(4096)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Executor_ParallelFor)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Future_CreateSetGet);
BENCHMARK(BM_Future_CreateSetGet_std);

}  // namespace

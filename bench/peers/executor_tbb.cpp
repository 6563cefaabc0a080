// oneTBB's task_group, which has no futures, and std::execution::par, which libstdc++ builds on it.

#include <benchmark/benchmark.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <execution>
#include <numeric>
#include <utility>
#include <vector>

#include "executor_rows.hpp"

namespace {

// An arena with so many workers, beside the thread that waits in the destructor.
class TbbPool {
 public:
  explicit TbbPool(std::size_t workers)
      : allowed_(tbb::global_control::max_allowed_parallelism, workers + 1),
        arena_(static_cast<int>(workers) + 1) {}
  ~TbbPool() {
    arena_.execute([this] { group_.wait(); });
  }
  TbbPool(const TbbPool&) = delete;
  TbbPool& operator=(const TbbPool&) = delete;

  template <class F>
  void post(F f) {
    arena_.enqueue(group_.defer(std::move(f)));
  }
  template <class F>
  void spawn(F f) {
    group_.run(std::move(f));
  }

 private:
  tbb::global_control allowed_;
  tbb::task_arena arena_;
  tbb::task_group group_;
};

int fib(int n) {
  if (n < 2) return n;
  int left = 0;
  tbb::task_group group;
  group.run([&left, n] { left = fib(n - 1); });
  const int right = fib(n - 2);
  group.wait();
  return left + right;
}

// Two threads, the caller among them.
void fork_join(benchmark::State& state) {
  for (auto _ : state) {
    tbb::task_arena arena(2);
    benchmark::DoNotOptimize(arena.execute([] { return fib(25); }));
  }
}

void map_par(benchmark::State& state) {
  std::vector<int> numbers(1'000'000);
  std::iota(numbers.begin(), numbers.end(), 0);
  for (auto _ : state) {
    std::vector<int> results(numbers.size());
    std::transform(std::execution::par, numbers.begin(), numbers.end(), results.begin(),
                   [](int x) { return x ^ 1; });
    std::int64_t sum = 0;
    for (const int i : results) sum += i;
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(numbers.size()));
}

BENCHMARK(fork_join)
    ->Name("BM_Executor_ForkJoinFib25_tbb")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
// The chunks are its own; the argument says which row it is a rival of.
BENCHMARK(map_par)
    ->Name("BM_Executor_Map_par")
    ->Arg(4096)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

[[maybe_unused]] const bool registered = conc::bench::post_rows<TbbPool>("_tbb");

}  // namespace

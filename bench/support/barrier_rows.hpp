// What is measured of a barrier: any class made with the number of parties, and perhaps an action,
// that has wait() or std's arrive_and_wait().
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <memory>
#include <string>

#include "team.hpp"

namespace conc::bench {

template <class B>
void meet(B& barrier) {
  if constexpr (requires { barrier.arrive_and_wait(); }) {
    barrier.arrive_and_wait();
  } else {
    benchmark::DoNotOptimize(barrier.wait());
  }
}

// The time of one phase, all threads together.
template <class B, class... Action>
void barrier_phase(benchmark::State& state, Action... action) {
  // Made by the first thread; the others see it when the loop begins, where all meet.
  static std::unique_ptr<B> barrier;
  if (state.thread_index() == 0) {
    barrier = std::make_unique<B>(static_cast<unsigned>(state.threads()), action...);
  }
  const Pin pin(state.thread_index());
  for (auto _ : state) meet(*barrier);
  if (state.thread_index() == 0) state.counters["size"] = sizeof(B);
}

// ---- The rows. `suffix` is empty for conc, and names the rival otherwise: "_std".

template <class B, class... Action>
void barrier_row(const std::string& name, Action... action) {
  benchmark::RegisterBenchmark(
      name.c_str(), [action...](benchmark::State& state) { barrier_phase<B>(state, action...); })
      ->Threads(2)
      ->Threads(4)
      ->Threads(8)
      ->UseRealTime();
}

template <class B>
bool barrier_rows(const std::string& suffix) {
  barrier_row<B>("BM_Barrier_Phase" + suffix);
  return true;
}

struct Count {
  void operator()() noexcept { benchmark::DoNotOptimize(++rounds); }
  std::size_t rounds = 0;
};

// Of one whose action is a Count.
template <class B>
bool barrier_action_rows(const std::string& suffix) {
  barrier_row<B>("BM_Barrier_PhaseWithAction" + suffix, Count{});
  return true;
}

}  // namespace conc::bench

// What is measured of a lock: any class with lock(), try_lock() and unlock().
#pragma once

#include <benchmark/benchmark.h>
#include <conc/config.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "team.hpp"

namespace conc::bench {

// ---- One thread

template <class L>
void lock_uncontended(benchmark::State& state) {
  L lock;
  for (auto _ : state) {
    lock.lock();
    benchmark::ClobberMemory();
    lock.unlock();
  }
  state.counters["bytes"] = sizeof(L);
}

template <class L>
void lock_try_held(benchmark::State& state) {
  L lock;
  lock.lock();
  for (auto _ : state) {
    bool got = lock.try_lock();
    benchmark::DoNotOptimize(got);
  }
  lock.unlock();
}

template <class L>
void lock_recursive(benchmark::State& state) CONC_NO_THREAD_SAFETY_ANALYSIS {
  L lock;
  const std::int64_t depth = state.range(0);
  for (auto _ : state) {
    for (std::int64_t i = 0; i < depth; ++i) lock.lock();
    benchmark::ClobberMemory();
    for (std::int64_t i = 0; i < depth; ++i) lock.unlock();
  }
  state.counters["bytes"] = sizeof(L);
}

// ---- Teams

// A lock and what it guards, as they stand in a user's class.
template <class L>
struct Guarded {
  L lock;
  std::int64_t count = 0;
};

template <class L>
void lock_contended(benchmark::State& state, std::chrono::nanoseconds inside,
                    std::chrono::nanoseconds outside) {
  const auto threads = static_cast<std::size_t>(state.range(0));
  const std::int64_t each = 400'000 / state.range(0);
  const Work held(inside);
  const Work free(outside);
  const Somewhere<Guarded<L>> guarded;
  measure_team(state, threads, Place::spread, each, [&guarded, each, held, free](std::size_t) {
    for (std::int64_t i = 0; i < each; ++i) {
      guarded->lock.lock();
      benchmark::DoNotOptimize(++guarded->count);
      held();
      guarded->lock.unlock();
      free();
    }
  });
}

// ---- The rows. `suffix` is empty for conc, and names the rival otherwise: "_std".

template <class L>
bool lock_rows(const std::string& suffix) {
  using std::chrono::nanoseconds;
  const std::string name = "BM_Lock_";
  benchmark::RegisterBenchmark((name + "Uncontended" + suffix).c_str(), lock_uncontended<L>);
  benchmark::RegisterBenchmark((name + "TryHeld" + suffix).c_str(), lock_try_held<L>);
  const auto team = [&](const std::string& situation, nanoseconds inside, nanoseconds outside) {
    benchmark::RegisterBenchmark(
        (name + situation + suffix).c_str(),
        [inside, outside](benchmark::State& state) { lock_contended<L>(state, inside, outside); })
        ->Arg(2)
        ->Arg(4)
        ->Arg(8)
        ->Apply(team_rules);
  };
  team("Contended", nanoseconds(100), nanoseconds(200));
  team("EmptySection", nanoseconds(0), nanoseconds(0));
  return true;
}

template <class L>
bool rlock_rows(const std::string& suffix) {
  benchmark::RegisterBenchmark(("BM_RLock_Depth" + suffix).c_str(), lock_recursive<L>)
      ->Arg(1)
      ->Arg(3);
  return true;
}

}  // namespace conc::bench

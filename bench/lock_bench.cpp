// Lock and RLock against the standard mutexes.

#include <benchmark/benchmark.h>
#include <conc/config.hpp>
#include <conc/lock.hpp>
#include <conc/rlock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>

#include "team.hpp"

namespace {

using namespace std::chrono_literals;
using conc::bench::measure_team;
using conc::bench::Place;
using conc::bench::Somewhere;
using conc::bench::team_rules;
using conc::bench::Work;

// ---- One thread

template <class L>
void uncontended(benchmark::State& state) {
  L lock;
  for (auto _ : state) {
    lock.lock();
    benchmark::ClobberMemory();
    lock.unlock();
  }
  state.counters["bytes"] = sizeof(L);
}
BENCHMARK(uncontended<conc::Lock>)->Name("BM_Lock_Uncontended");
BENCHMARK(uncontended<std::mutex>)->Name("BM_Lock_Uncontended_std");

template <class L>
void try_held(benchmark::State& state) {
  L lock;
  lock.lock();
  for (auto _ : state) {
    bool got = lock.try_lock();
    benchmark::DoNotOptimize(got);
  }
  lock.unlock();
}
BENCHMARK(try_held<conc::Lock>)->Name("BM_Lock_TryHeld");
BENCHMARK(try_held<std::mutex>)->Name("BM_Lock_TryHeld_std");

template <class L>
void timed_free(benchmark::State& state) {
  L lock;
  for (auto _ : state) {
    if (lock.try_lock_for(50ms)) lock.unlock();
  }
}
BENCHMARK(timed_free<conc::Lock>)->Name("BM_Lock_TimedFree");
BENCHMARK(timed_free<std::timed_mutex>)->Name("BM_Lock_TimedFree_std");

template <class L>
void recursive(benchmark::State& state) CONC_NO_THREAD_SAFETY_ANALYSIS {
  L lock;
  const std::int64_t depth = state.range(0);
  for (auto _ : state) {
    for (std::int64_t i = 0; i < depth; ++i) lock.lock();
    benchmark::ClobberMemory();
    for (std::int64_t i = 0; i < depth; ++i) lock.unlock();
  }
  state.counters["bytes"] = sizeof(L);
}
BENCHMARK(recursive<conc::RLock>)->Name("BM_RLock_Depth")->Arg(1)->Arg(3);
BENCHMARK(recursive<std::recursive_mutex>)->Name("BM_RLock_Depth_std")->Arg(1)->Arg(3);

// ---- Teams

// A lock and what it guards, as they stand in a user's class.
template <class L>
struct Guarded {
  L lock;
  std::int64_t count = 0;
};

template <class L>
void contended(benchmark::State& state, std::chrono::nanoseconds inside,
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

template <class L>
void busy(benchmark::State& state) {
  contended<L>(state, 100ns, 200ns);
}
BENCHMARK(busy<conc::Lock>)->Name("BM_Lock_Contended")->Arg(2)->Arg(4)->Arg(8)->Apply(team_rules);
BENCHMARK(busy<std::mutex>)
    ->Name("BM_Lock_Contended_std")
    ->Arg(2)
    ->Arg(4)
    ->Arg(8)
    ->Apply(team_rules);

template <class L>
void empty(benchmark::State& state) {
  contended<L>(state, 0ns, 0ns);
}
BENCHMARK(empty<conc::Lock>)
    ->Name("BM_Lock_EmptySection")
    ->Arg(2)
    ->Arg(4)
    ->Arg(8)
    ->Apply(team_rules);
BENCHMARK(empty<std::mutex>)
    ->Name("BM_Lock_EmptySection_std")
    ->Arg(2)
    ->Arg(4)
    ->Arg(8)
    ->Apply(team_rules);

}  // namespace

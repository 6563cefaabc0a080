// What is measured of a semaphore: any class made with its number of permits that has acquire(),
// try_acquire() and release().
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>

#include "team.hpp"

namespace conc::bench {

// ---- One thread

template <class S>
void semaphore_uncontended(benchmark::State& state) {
  S semaphore(1);
  for (auto _ : state) {
    semaphore.acquire();
    benchmark::ClobberMemory();
    semaphore.release();
  }
  state.counters["size"] = sizeof(S);
}

template <class S>
void semaphore_try_none(benchmark::State& state) {
  S semaphore(0);
  for (auto _ : state) benchmark::DoNotOptimize(semaphore.try_acquire());
}

// ---- A pool of two permits, 100 ns with one of them and 200 ns without

template <class S>
void semaphore_pool(benchmark::State& state) {
  const auto threads = static_cast<std::size_t>(state.range(0));
  const std::int64_t each = 400'000 / state.range(0);
  const Work inside(std::chrono::nanoseconds(100));
  const Work outside(std::chrono::nanoseconds(200));
  const Somewhere<S> semaphore(2);
  measure_team(state, threads, Place::spread, each,
               [&semaphore, each, inside, outside](std::size_t) {
                 for (std::int64_t i = 0; i < each; ++i) {
                   semaphore->acquire();
                   inside();
                   semaphore->release();
                   outside();
                 }
               });
}

// ---- Ping-pong: a round trip between two threads, on two CPUs and on one

template <class S>
void semaphore_ping_pong(benchmark::State& state, int other_cpu) {
  S ping(0);
  S pong(0);
  bool over = false;
  std::thread other([&] {
    const Pin pin(other_cpu);
    for (;;) {
      ping.acquire();
      if (over) return;
      pong.release();
    }
  });
  {
    const Pin pin(0);
    for (auto _ : state) {
      ping.release();
      pong.acquire();
    }
  }
  over = true;
  ping.release();
  other.join();
}

// ---- The rows. `suffix` is empty for conc, and names the rival otherwise: "_std".

template <class S>
bool semaphore_rows(const std::string& suffix) {
  const std::string name = "BM_Semaphore_";
  benchmark::RegisterBenchmark((name + "Uncontended" + suffix).c_str(), semaphore_uncontended<S>);
  benchmark::RegisterBenchmark((name + "TryNone" + suffix).c_str(), semaphore_try_none<S>);
  benchmark::RegisterBenchmark((name + "TwoPermits" + suffix).c_str(), semaphore_pool<S>)
      ->Arg(4)
      ->Apply(team_rules);
  for (const int other_cpu : {1, 0}) {
    const std::string place = other_cpu == 1 ? "PingPongTwoCpus" : "PingPongOneCpu";
    benchmark::RegisterBenchmark((name + place + suffix).c_str(), [other_cpu](
                                                                      benchmark::State& state) {
      semaphore_ping_pong<S>(state, other_cpu);
    })->UseRealTime();
  }
  return true;
}

template <class S>
bool bounded_semaphore_rows(const std::string& suffix) {
  benchmark::RegisterBenchmark(("BM_BoundedSemaphore_Uncontended" + suffix).c_str(),
                               semaphore_uncontended<S>);
  return true;
}

}  // namespace conc::bench

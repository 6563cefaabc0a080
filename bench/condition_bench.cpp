// Condition against std::condition_variable: two threads take turns, notifying inside the lock.

#include <benchmark/benchmark.h>
#include <conc/condition.hpp>
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "team.hpp"

namespace {

using conc::bench::measure_team;
using conc::bench::Place;
using conc::bench::team_rules;

constexpr std::int64_t each = 20'000;

template <Place place>
void ping_pong(benchmark::State& state) {
  conc::Lock lock;
  conc::Condition changed(lock);
  std::size_t turn = 0;
  measure_team(state, 2, place, each, [&](std::size_t me) {
    for (std::int64_t i = 0; i < each; ++i) {
      const conc::LockGuard hold(lock);
      changed.wait_for([&] { return turn == me; });
      turn = 1 - turn;
      changed.notify();
    }
  });
  state.counters["bytes"] = sizeof(conc::Condition);
}

template <Place place>
void ping_pong_std(benchmark::State& state) {
  std::mutex lock;
  std::condition_variable changed;
  std::size_t turn = 0;
  measure_team(state, 2, place, each, [&](std::size_t me) {
    for (std::int64_t i = 0; i < each; ++i) {
      std::unique_lock hold(lock);
      changed.wait(hold, [&] { return turn == me; });
      turn = 1 - turn;
      changed.notify_one();
    }
  });
  state.counters["bytes"] = sizeof(std::condition_variable);
}

BENCHMARK(ping_pong<Place::one_cpu>)->Name("BM_Condition_PingPongOneCpu")->Apply(team_rules);
BENCHMARK(ping_pong_std<Place::one_cpu>)
    ->Name("BM_Condition_PingPongOneCpu_std")
    ->Apply(team_rules);
BENCHMARK(ping_pong<Place::spread>)->Name("BM_Condition_PingPongTwoCpus")->Apply(team_rules);
BENCHMARK(ping_pong_std<Place::spread>)
    ->Name("BM_Condition_PingPongTwoCpus_std")
    ->Apply(team_rules);

}  // namespace

// What is measured of an event: any class with set(), clear(), is_set() and wait(); the first rows
// do without clear().
#pragma once

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "team.hpp"

namespace conc::bench {

// ---- One thread

template <class E>
void event_is_set(benchmark::State& state) {
  E event;
  event.set();
  for (auto _ : state) {
    bool set = event.is_set();
    benchmark::DoNotOptimize(set);
  }
  state.counters["bytes"] = sizeof(E);
}

template <class E>
void event_wait_when_set(benchmark::State& state) {
  E event;
  event.set();
  for (auto _ : state) {
    event.wait();
    benchmark::ClobberMemory();
  }
}

template <class E>
void event_set_and_clear(benchmark::State& state) {
  E event;
  for (auto _ : state) {
    event.set();
    benchmark::ClobberMemory();
    event.clear();
  }
}

// ---- Teams

// A round trip counts as two operations, one by each thread.
template <class E, Place place>
void event_ping_pong(benchmark::State& state) {
  constexpr std::int64_t each = place == Place::spread ? 50'000 : 20'000;
  E ping;
  E pong;
  measure_team(state, 2, place, each, [&](std::size_t who) {
    E& mine = who == 0 ? ping : pong;
    E& theirs = who == 0 ? pong : ping;
    for (std::int64_t i = 0; i < each; ++i) {
      if (who == 0) theirs.set();
      mine.wait();
      mine.clear();
      if (who == 1) theirs.set();
    }
  });
}

// One thread sets, sixteen wait; each answers before the next round. Two events take turns.
template <class E>
void event_broadcast(benchmark::State& state) {
  constexpr std::size_t waiters = 16;
  constexpr std::int64_t each = 2'000;
  E start[2];
  E all_here;
  std::atomic<std::size_t> here{0};
  measure_team(state, waiters + 1, Place::spread, each, [&](std::size_t who) {
    for (std::int64_t i = 0; i < each; ++i) {
      E& now = start[i % 2];
      if (who == waiters) {
        all_here.wait();
        all_here.clear();
        here = 0;
        start[(i + 1) % 2].clear();
        now.set();
      } else {
        if (here.fetch_add(1) + 1 == waiters) all_here.set();
        now.wait();
      }
    }
  });
}

// ---- The rows. `suffix` is empty for conc, and names the rival otherwise: "_std".

// Of what can only be set once.
template <class E>
bool one_shot_event_rows(const std::string& suffix) {
  benchmark::RegisterBenchmark(("BM_Event_IsSet" + suffix).c_str(), event_is_set<E>);
  benchmark::RegisterBenchmark(("BM_Event_WaitWhenSet" + suffix).c_str(), event_wait_when_set<E>);
  return true;
}

template <class E>
bool event_rows(const std::string& suffix) {
  one_shot_event_rows<E>(suffix);
  benchmark::RegisterBenchmark(("BM_Event_SetClear" + suffix).c_str(), event_set_and_clear<E>);
  benchmark::RegisterBenchmark(("BM_Event_PingPongTwoCpus" + suffix).c_str(),
                               event_ping_pong<E, Place::spread>)
      ->Apply(team_rules);
  benchmark::RegisterBenchmark(("BM_Event_PingPongOneCpu" + suffix).c_str(),
                               event_ping_pong<E, Place::one_cpu>)
      ->Apply(team_rules);
  benchmark::RegisterBenchmark(("BM_Event_BroadcastTo16" + suffix).c_str(), event_broadcast<E>)
      ->Apply(team_rules);
  return true;
}

}  // namespace conc::bench

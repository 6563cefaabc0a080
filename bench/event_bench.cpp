// Event against what one writes without it: a flag, a mutex and a condition variable.

#include <benchmark/benchmark.h>
#include <conc/event.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "team.hpp"

namespace {

using conc::bench::measure_team;
using conc::bench::Place;
using conc::bench::team_rules;

class StdEvent {
 public:
  void set() {
    {
      const std::lock_guard lock(mutex_);
      set_ = true;
    }
    changed_.notify_all();
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    set_ = false;
  }
  bool is_set() {
    const std::lock_guard lock(mutex_);
    return set_;
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

// ---- One thread

template <class E>
void is_set(benchmark::State& state) {
  E event;
  event.set();
  for (auto _ : state) {
    bool set = event.is_set();
    benchmark::DoNotOptimize(set);
  }
  state.counters["bytes"] = sizeof(E);
}
BENCHMARK(is_set<conc::Event>)->Name("BM_Event_IsSet");
BENCHMARK(is_set<StdEvent>)->Name("BM_Event_IsSet_std");

template <class E>
void wait_when_set(benchmark::State& state) {
  E event;
  event.set();
  for (auto _ : state) {
    event.wait();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(wait_when_set<conc::Event>)->Name("BM_Event_WaitWhenSet");
BENCHMARK(wait_when_set<StdEvent>)->Name("BM_Event_WaitWhenSet_std");

template <class E>
void set_and_clear(benchmark::State& state) {
  E event;
  for (auto _ : state) {
    event.set();
    benchmark::ClobberMemory();
    event.clear();
  }
}
BENCHMARK(set_and_clear<conc::Event>)->Name("BM_Event_SetClear");
BENCHMARK(set_and_clear<StdEvent>)->Name("BM_Event_SetClear_std");

// ---- Teams

// A round trip counts as two operations, one by each thread.
template <class E, Place place>
void ping_pong(benchmark::State& state) {
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
BENCHMARK(ping_pong<conc::Event, Place::spread>)
    ->Name("BM_Event_PingPongTwoCpus")
    ->Apply(team_rules);
BENCHMARK(ping_pong<StdEvent, Place::spread>)
    ->Name("BM_Event_PingPongTwoCpus_std")
    ->Apply(team_rules);
BENCHMARK(ping_pong<conc::Event, Place::one_cpu>)
    ->Name("BM_Event_PingPongOneCpu")
    ->Apply(team_rules);
BENCHMARK(ping_pong<StdEvent, Place::one_cpu>)
    ->Name("BM_Event_PingPongOneCpu_std")
    ->Apply(team_rules);

// One thread sets, sixteen wait; each answers before the next round. Two events take turns.
template <class E>
void broadcast(benchmark::State& state) {
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
BENCHMARK(broadcast<conc::Event>)->Name("BM_Event_BroadcastTo16")->Apply(team_rules);
BENCHMARK(broadcast<StdEvent>)->Name("BM_Event_BroadcastTo16_std")->Apply(team_rules);

}  // namespace

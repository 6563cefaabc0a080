// What is measured of a condition: two threads take turns, notifying inside the lock.
//
// A Turns has a number, 0 at first, and one call: take(me) waits until the number is `me`, makes it
// the other's, and notifies, all of it inside the lock. changed_size is the condition's size.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "team.hpp"

namespace conc::bench {

template <class Turns>
void condition_ping_pong(benchmark::State& state, Place place) {
  constexpr std::int64_t each = 20'000;
  Turns turns;
  measure_team(state, 2, place, each, [&turns](std::size_t me) {
    for (std::int64_t i = 0; i < each; ++i) turns.take(me);
  });
  state.counters["bytes"] = Turns::changed_size;
}

// `suffix` is empty for conc, and names the rival otherwise: "_std".
template <class Turns>
bool condition_rows(const std::string& suffix) {
  for (const Place place : {Place::one_cpu, Place::spread}) {
    const std::string name = place == Place::one_cpu ? "OneCpu" : "TwoCpus";
    benchmark::RegisterBenchmark(
        ("BM_Condition_PingPong" + name + suffix).c_str(),
        [place](benchmark::State& state) { condition_ping_pong<Turns>(state, place); })
        ->Apply(team_rules);
  }
  return true;
}

}  // namespace conc::bench

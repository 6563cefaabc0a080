// Barrier against std::barrier, which can neither time out nor break.
#include <conc/barrier.hpp>

#include <benchmark/benchmark.h>

#include <barrier>
#include <cstddef>
#include <functional>
#include <memory>

#include "team.hpp"

namespace {

using conc::bench::Pin;

std::size_t meet(conc::Barrier& barrier) { return barrier.wait(); }
template <class Action>
std::size_t meet(std::barrier<Action>& barrier) {
  barrier.arrive_and_wait();
  return 0;
}

// The time of one phase, all threads together.
template <class B, class... Action>
void phase(benchmark::State& state, Action... action) {
  // Made by the first thread; the others see it when the loop begins, where all meet.
  static std::unique_ptr<B> barrier;
  if (state.thread_index() == 0) {
    barrier = std::make_unique<B>(static_cast<std::size_t>(state.threads()), action...);
  }
  const Pin pin(state.thread_index());
  for (auto _ : state) benchmark::DoNotOptimize(meet(*barrier));
  if (state.thread_index() == 0) state.counters["size"] = sizeof(B);
}

void BM_Barrier_Phase(benchmark::State& state) { phase<conc::Barrier>(state); }
void BM_Barrier_Phase_std(benchmark::State& state) { phase<std::barrier<>>(state); }
BENCHMARK(BM_Barrier_Phase)->Threads(2)->Threads(4)->Threads(8)->UseRealTime();
BENCHMARK(BM_Barrier_Phase_std)->Threads(2)->Threads(4)->Threads(8)->UseRealTime();

struct Count {
  void operator()() noexcept { benchmark::DoNotOptimize(++rounds); }
  std::size_t rounds = 0;
};

void BM_Barrier_PhaseWithAction(benchmark::State& state) { phase<conc::Barrier>(state, Count{}); }
void BM_Barrier_PhaseWithAction_std(benchmark::State& state) {
  phase<std::barrier<Count>>(state, Count{});
}
BENCHMARK(BM_Barrier_PhaseWithAction)->Threads(2)->Threads(4)->Threads(8)->UseRealTime();
BENCHMARK(BM_Barrier_PhaseWithAction_std)->Threads(2)->Threads(4)->Threads(8)->UseRealTime();

}  // namespace

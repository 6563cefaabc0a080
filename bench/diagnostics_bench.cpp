// What a look at all threads costs: for the one who looks, and for the threads that are looked at.

#include <benchmark/benchmark.h>
#include <conc/diagnostics.hpp>
#include <conc/event.hpp>
#include <conc/thread.hpp>
#include <conc/thread_info.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace {

// So many threads that wait for one event.
class Crowd {
 public:
  explicit Crowd(std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
      threads_.push_back(std::make_unique<conc::Thread>([this] { go_.wait(); }));
      threads_.back()->start();
    }
    const auto size = static_cast<std::size_t>(n);
    for (bool all = false; !all;) {
      const conc::Snapshot seen = conc::snapshot();
      all = size == 0 || (!seen.objects.empty() && seen.objects[0].waiters.size() == size);
    }
  }
  ~Crowd() { go_.set(); }

 private:
  conc::Event go_{"go"};
  std::vector<std::unique_ptr<conc::Thread>> threads_;
};

void BM_Diagnostics_Snapshot(benchmark::State& state) {
  const Crowd crowd(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(conc::snapshot());
}
BENCHMARK(BM_Diagnostics_Snapshot)->Arg(10)->Arg(100)->Arg(1000)->Unit(benchmark::kMicrosecond);

void BM_Diagnostics_Enumerate(benchmark::State& state) {
  const Crowd crowd(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(conc::enumerate());
}
BENCHMARK(BM_Diagnostics_Enumerate)->Arg(1000)->Unit(benchmark::kMicrosecond);

void BM_Diagnostics_ToJson(benchmark::State& state) {
  const Crowd crowd(state.range(0));
  const conc::Snapshot seen = conc::snapshot();
  for (auto _ : state) benchmark::DoNotOptimize(conc::to_json(seen));
}
BENCHMARK(BM_Diagnostics_ToJson)->Arg(1000)->Unit(benchmark::kMicrosecond);

void BM_Diagnostics_GetIdent(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(conc::get_ident());
}
BENCHMARK(BM_Diagnostics_GetIdent);

}  // namespace

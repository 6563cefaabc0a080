// Lock and RLock against the standard mutexes.

#include <benchmark/benchmark.h>
#include <conc/lock.hpp>
#include <conc/rlock.hpp>

#include <chrono>
#include <mutex>

#include "lock_rows.hpp"

namespace {

using namespace std::chrono_literals;
using conc::bench::lock_rows;
using conc::bench::rlock_rows;

[[maybe_unused]] const bool registered =
    lock_rows<conc::Lock>("") && lock_rows<std::mutex>("_std") && rlock_rows<conc::RLock>("") &&
    rlock_rows<std::recursive_mutex>("_std");

template <class L>
void timed_free(benchmark::State& state) {
  L lock;
  for (auto _ : state) {
    if (lock.try_lock_for(50ms)) lock.unlock();
  }
}
BENCHMARK(timed_free<conc::Lock>)->Name("BM_Lock_TimedFree");
BENCHMARK(timed_free<std::timed_mutex>)->Name("BM_Lock_TimedFree_std");

}  // namespace

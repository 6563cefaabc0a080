// Semaphore against a count, a mutex and a condition variable, which is what a program without
// semaphores writes, and against std::counting_semaphore, which has no order of waking.
#include <conc/bounded_semaphore.hpp>
#include <conc/semaphore.hpp>

#include <benchmark/benchmark.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <semaphore>
#include <thread>

#include "team.hpp"

namespace {

using namespace std::chrono_literals;
using conc::bench::Pin;
using conc::bench::Work;

class Counted {
 public:
  explicit Counted(std::ptrdiff_t permits) : permits_(permits) {}

  void acquire() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return permits_ > 0; });
    --permits_;
  }
  bool try_acquire() {
    const std::lock_guard lock(mutex_);
    if (permits_ == 0) return false;
    --permits_;
    return true;
  }
  void release() {
    {
      const std::lock_guard lock(mutex_);
      ++permits_;
    }
    returned_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable returned_;
  std::ptrdiff_t permits_;
};

using Counting = std::counting_semaphore<>;

// ---- One thread

template <class S>
void uncontended(benchmark::State& state) {
  S semaphore(1);
  for (auto _ : state) {
    semaphore.acquire();
    benchmark::ClobberMemory();
    semaphore.release();
  }
  state.counters["size"] = sizeof(S);
}

template <class S>
void try_none(benchmark::State& state) {
  S semaphore(0);
  for (auto _ : state) benchmark::DoNotOptimize(semaphore.try_acquire());
}

void BM_Semaphore_Uncontended(benchmark::State& state) { uncontended<conc::Semaphore>(state); }
void BM_Semaphore_Uncontended_std(benchmark::State& state) { uncontended<Counted>(state); }
void BM_Semaphore_Uncontended_counting(benchmark::State& state) { uncontended<Counting>(state); }
void BM_BoundedSemaphore_Uncontended(benchmark::State& state) {
  uncontended<conc::BoundedSemaphore>(state);
}
void BM_BoundedSemaphore_Uncontended_std(benchmark::State& state) { uncontended<Counted>(state); }
BENCHMARK(BM_Semaphore_Uncontended);
BENCHMARK(BM_Semaphore_Uncontended_std);
BENCHMARK(BM_Semaphore_Uncontended_counting);
BENCHMARK(BM_BoundedSemaphore_Uncontended);
BENCHMARK(BM_BoundedSemaphore_Uncontended_std);

void BM_Semaphore_TryNone(benchmark::State& state) { try_none<conc::Semaphore>(state); }
void BM_Semaphore_TryNone_std(benchmark::State& state) { try_none<Counted>(state); }
void BM_Semaphore_TryNone_counting(benchmark::State& state) { try_none<Counting>(state); }
BENCHMARK(BM_Semaphore_TryNone);
BENCHMARK(BM_Semaphore_TryNone_std);
BENCHMARK(BM_Semaphore_TryNone_counting);

// ---- A pool of two permits, 100 ns with one of them and 200 ns without

template <class S>
void pool(benchmark::State& state) {
  static S semaphore(2);
  static const Work inside(100ns);
  static const Work outside(200ns);
  const Pin pin(state.thread_index());
  for (auto _ : state) {
    semaphore.acquire();
    inside();
    semaphore.release();
    outside();
  }
}

void BM_Semaphore_TwoPermits(benchmark::State& state) { pool<conc::Semaphore>(state); }
void BM_Semaphore_TwoPermits_std(benchmark::State& state) { pool<Counted>(state); }
void BM_Semaphore_TwoPermits_counting(benchmark::State& state) { pool<Counting>(state); }
BENCHMARK(BM_Semaphore_TwoPermits)->Threads(4)->UseRealTime();
BENCHMARK(BM_Semaphore_TwoPermits_std)->Threads(4)->UseRealTime();
BENCHMARK(BM_Semaphore_TwoPermits_counting)->Threads(4)->UseRealTime();

// ---- Ping-pong: a round trip between two threads, on two CPUs and on one

template <class S>
void ping_pong(benchmark::State& state, int other_cpu) {
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

void BM_Semaphore_PingPongTwoCpus(benchmark::State& state) { ping_pong<conc::Semaphore>(state, 1); }
void BM_Semaphore_PingPongTwoCpus_std(benchmark::State& state) { ping_pong<Counted>(state, 1); }
void BM_Semaphore_PingPongTwoCpus_counting(benchmark::State& state) {
  ping_pong<Counting>(state, 1);
}
void BM_Semaphore_PingPongOneCpu(benchmark::State& state) { ping_pong<conc::Semaphore>(state, 0); }
void BM_Semaphore_PingPongOneCpu_std(benchmark::State& state) { ping_pong<Counted>(state, 0); }
void BM_Semaphore_PingPongOneCpu_counting(benchmark::State& state) {
  ping_pong<Counting>(state, 0);
}
BENCHMARK(BM_Semaphore_PingPongTwoCpus)->UseRealTime();
BENCHMARK(BM_Semaphore_PingPongTwoCpus_std)->UseRealTime();
BENCHMARK(BM_Semaphore_PingPongTwoCpus_counting)->UseRealTime();
BENCHMARK(BM_Semaphore_PingPongOneCpu)->UseRealTime();
BENCHMARK(BM_Semaphore_PingPongOneCpu_std)->UseRealTime();
BENCHMARK(BM_Semaphore_PingPongOneCpu_counting)->UseRealTime();

}  // namespace

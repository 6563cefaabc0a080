// What benchmarks with several threads need: threads that stay where they are put, and work of a
// known length.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

namespace conc::bench {

// Keeps the calling thread on one CPU while it lives: the i-th of those the process may use,
// counted round. Left alone, the scheduler often puts two threads that wake each other on the same
// CPU, where nothing contends. Does nothing where the operating system offers no such thing.
class Pin {
 public:
  explicit Pin(int i) noexcept {
#if defined(__linux__)
    if (sched_getaffinity(0, sizeof before_, &before_) != 0) return;
    int nth = i % CPU_COUNT(&before_);
    int cpu = 0;
    while (!CPU_ISSET(cpu, &before_) || nth-- > 0) ++cpu;
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(cpu, &only);
    pinned_ = sched_setaffinity(0, sizeof only, &only) == 0;
#else
    static_cast<void>(i);
#endif
  }
  ~Pin() {
#if defined(__linux__)
    if (pinned_) sched_setaffinity(0, sizeof before_, &before_);
#endif
  }

  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;

 private:
#if defined(__linux__)
  cpu_set_t before_;
  bool pinned_ = false;
#endif
};

// How many CPUs the calling thread may use.
inline int cpus() noexcept {
#if defined(__linux__)
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof usable, &usable) == 0) return CPU_COUNT(&usable);
#endif
  return 1;
}

// Keeps its CPU busy for about so long, touching no memory and reading no clock.
class Work {
 public:
  explicit Work(std::chrono::nanoseconds length)
      : turns_(static_cast<std::int64_t>(static_cast<double>(length.count()) / turn_length())) {}

  void operator()() const noexcept { run(turns_); }

 private:
  // In registers and in one place only: how long a turn takes that goes through memory depends on
  // where it is inlined.
  [[gnu::noinline]] static void run(std::int64_t turns) noexcept {
    std::uint64_t chain = 1;
    for (std::int64_t i = 0; i < turns; ++i) {
      chain = chain * 3 + 1;
      asm volatile("" : "+r"(chain));
    }
  }

  // In nanoseconds; the quickest of several attempts, so that no interruption counts.
  static double turn_length() {
    static const double length = [] {
      using Clock = std::chrono::steady_clock;
      constexpr std::int64_t turns = 20'000;
      double best = std::numeric_limits<double>::max();
      for (int attempt = 0; attempt < 50; ++attempt) {
        const Clock::time_point start = Clock::now();
        run(turns);
        const std::chrono::duration<double, std::nano> took = Clock::now() - start;
        best = std::min(best, took.count() / static_cast<double>(turns));
      }
      return best;
    }();
    return length;
  }

  std::int64_t turns_;
};

// Makes a T on a cache line of its own, another one each time. How long a line takes from one
// processor to another depends on its address (between 115 and 215 ns for a round trip, on one
// machine), so a row that always used the same line would measure the address.
template <class T>
class Somewhere {
 public:
  template <class... Args>
  explicit Somewhere(Args&&... args) : memory_(std::make_unique<Line[]>(lines + size)) {
    static std::minstd_rand random{std::random_device()()};
    object_ = ::new (static_cast<void*>(&memory_[random() % lines])) T(std::forward<Args>(args)...);
  }
  ~Somewhere() { object_->~T(); }
  Somewhere(const Somewhere&) = delete;
  Somewhere& operator=(const Somewhere&) = delete;

  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  static constexpr std::size_t lines = 4096;
  static constexpr std::size_t size = sizeof(T) / sizeof(Line) + 1;

  std::unique_ptr<Line[]> memory_;
  T* object_;
};

// Where a team's threads run: what crosses CPUs and what does not are two rows.
enum class Place { spread, one_cpu };

// Runs f(i) in n threads that start together, and returns the seconds from the start to the end of
// the last.
template <class F>
double run_team(std::size_t n, Place place, F&& f) {
  using Clock = std::chrono::steady_clock;
  std::atomic<std::size_t> ready{0};
  std::atomic<bool> go{false};
  std::vector<Clock::time_point> ends(n);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < n; ++i) {
    threads.emplace_back([&, i] {
      const Pin pin(place == Place::spread ? static_cast<int>(i) : 0);
      ++ready;
      while (!go) std::this_thread::yield();
      f(i);
      ends[i] = Clock::now();
    });
  }
  while (ready != n) std::this_thread::yield();
  const auto start = Clock::now();
  go = true;
  for (std::thread& thread : threads) thread.join();
  return std::chrono::duration<double>(*std::max_element(ends.begin(), ends.end()) - start).count();
}

// A benchmark's body: the time for one of the `each` operations that every thread of the team does,
// over all threads together. To be registered with team_rules.
template <class F>
void measure_team(benchmark::State& state, std::size_t n, Place place, std::int64_t each, F&& f) {
  for (auto _ : state) {
    const double seconds = run_team(n, place, f);
    state.SetIterationTime(seconds / static_cast<double>(each * static_cast<std::int64_t>(n)));
  }
}

inline void team_rules(benchmark::internal::Benchmark* row) {
  row->UseManualTime()->Iterations(1)->Unit(benchmark::kNanosecond);
}

}  // namespace conc::bench

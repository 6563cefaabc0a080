// What is measured of a queue: any class with a value_type, made with its maxsize, 0 for none, that
// has put() and get(), which block.
//
//   BM_<Queue>_<Item>_<Situation>   Item is Int (std::int64_t) or String (32 characters, so on
//                                   the heap)
//
// Time is per item, put and got, over all threads together. In Teams of 4P4C, four threads put and
// four get, at once and as fast as they can; they are pinned to the processors in turn, since left
// alone they often share one, where nothing contends. HandOff is half a round trip between two
// threads that wait for each other.
#pragma once

#include <benchmark/benchmark.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace conc::bench {

// ---- Items

template <class T>
T queue_item(std::int64_t i) {
  if constexpr (std::is_same_v<T, std::string>) {
    return std::string(32, static_cast<char>('a' + i % 26));
  } else {
    return static_cast<T>(i);
  }
}

// Different from item to item, and no ramp: so that a heap has something to do.
inline std::int64_t scattered(std::int64_t i) {
  return static_cast<std::int64_t>((static_cast<std::uint64_t>(i) * 0x9E3779B97F4A7C15U) >> 20);
}

// ---- Threads

inline void pin(std::size_t cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu % std::max(1U, std::thread::hardware_concurrency()), &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

// Runs f(i) in n threads, pinned by cpu(i), from a common start; returns the seconds from there to
// the last one's end.
template <class Cpu, class F>
double timed_team(std::size_t n, Cpu&& cpu, F&& f) {
  using Clock = std::chrono::steady_clock;
  std::atomic<std::size_t> missing{n};
  std::atomic<bool> go{false};
  std::vector<std::thread> team;
  for (std::size_t i = 0; i < n; ++i) {
    team.emplace_back([&, i] {
      pin(cpu(i));
      missing.fetch_sub(1);
      while (!go.load()) std::this_thread::yield();
      f(i);
    });
  }
  while (missing.load() != 0) std::this_thread::yield();
  const auto start = Clock::now();
  go.store(true);
  for (std::thread& thread : team) thread.join();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// ---- Memory

#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
// Bytes in use in the first thread's heap.
inline double bytes_in_use() {
  const auto info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

// Counters beside the times: the bytes of an empty queue, its object and what it has allocated, and
// the bytes that each item costs when the queue is filled, without what the item owns itself.
template <class Queue>
void count_memory(benchmark::State& state, std::size_t maxsize) {
  const std::size_t items = maxsize != 0 ? maxsize : 16'384;
  const double before = bytes_in_use();
  Queue queue(maxsize);
  const double empty = bytes_in_use();
  for (std::size_t i = 0; i < items; ++i) queue.put(typename Queue::value_type());
  const double full = bytes_in_use();
  state.counters["empty_bytes"] = static_cast<double>(sizeof(Queue)) + empty - before;
  state.counters["bytes_per_item"] = (full - empty) / static_cast<double>(items);
}
#else
template <class Queue>
void count_memory(benchmark::State& /*state*/, std::size_t /*maxsize*/) {}
#endif

// ---- Situations

// One thread puts and gets, with `depth` items lying in the queue.
template <class Queue>
void queue_one_thread(benchmark::State& state, std::size_t maxsize, std::int64_t depth = 0) {
  using T = typename Queue::value_type;
  Queue queue(maxsize);
  for (std::int64_t i = 0; i < depth; ++i) queue.put(queue_item<T>(scattered(i)));
  std::int64_t i = depth;
  T moving = queue_item<T>(0);
  for (auto _ : state) {
    if (depth != 0) moving = queue_item<T>(scattered(++i));
    queue.put(std::move(moving));
    moving = queue.get();
    benchmark::DoNotOptimize(moving);
  }
  state.SetItemsProcessed(state.iterations());
  count_memory<Queue>(state, maxsize);
}

// `half` threads put and as many get.
template <class Queue>
void queue_teams(benchmark::State& state, std::size_t maxsize, std::size_t half) {
  using T = typename Queue::value_type;
  const std::int64_t each = 40'000 / static_cast<std::int64_t>(half);
  while (state.KeepRunningBatch(each * static_cast<std::int64_t>(half))) {
    Queue queue(maxsize);
    const double seconds = timed_team(
        2 * half, [](std::size_t i) { return i; },
        [&](std::size_t i) {
          if (i < half) {
            for (std::int64_t k = 0; k < each; ++k) queue.put(queue_item<T>(k));
          } else {
            for (std::int64_t k = 0; k < each; ++k) benchmark::DoNotOptimize(queue.get());
          }
        });
    state.SetIterationTime(seconds);
  }
}

// Threads that put and get in turn, with `depth` items lying in the queue.
template <class Queue>
void queue_crowd(benchmark::State& state, std::size_t threads, std::int64_t depth) {
  using T = typename Queue::value_type;
  const std::int64_t each = 40'000 / static_cast<std::int64_t>(threads);
  while (state.KeepRunningBatch(each * static_cast<std::int64_t>(threads))) {
    Queue queue(0);
    for (std::int64_t i = 0; i < depth; ++i) queue.put(queue_item<T>(scattered(i)));
    const double seconds = timed_team(
        threads, [](std::size_t i) { return i; },
        [&](std::size_t i) {
          const std::int64_t base = depth + static_cast<std::int64_t>(i) * each;
          for (std::int64_t k = 0; k < each; ++k) {
            queue.put(queue_item<T>(scattered(base + k)));
            benchmark::DoNotOptimize(queue.get());
          }
        });
    state.SetIterationTime(seconds);
  }
}

// Two threads, each waiting for what the other sends.
template <class Queue>
void queue_hand_off(benchmark::State& state, std::size_t cpus) {
  constexpr std::int64_t rounds = 2'000;
  while (state.KeepRunningBatch(2 * rounds)) {
    Queue there(0);
    Queue back(0);
    const double seconds = timed_team(
        2, [cpus](std::size_t i) { return i % cpus; },
        [&](std::size_t i) {
          for (std::int64_t k = 0; k < rounds; ++k) {
            if (i == 0) {
              there.put(k);
              benchmark::DoNotOptimize(back.get());
            } else {
              back.put(there.get());
            }
          }
        });
    state.SetIterationTime(seconds);
  }
}

// ---- The rows. `suffix` is empty for conc, and names the rival otherwise: "_std".

// One thread's rows are timed by the clock of its own; a team measures itself.
template <class Run>
void queue_row(const std::string& name, const std::string& suffix, bool is_team, Run run) {
  auto* const row = benchmark::RegisterBenchmark(("BM_" + name + suffix).c_str(), run);
  if (is_team) row->UseManualTime();
}

// With one, two and four threads at each end. `name` is "Queue_Int".
template <class Queue>
bool fifo_rows(const std::string& name, const std::string& suffix, std::size_t maxsize) {
  queue_row(name + "OneThread", suffix, false,
            [maxsize](benchmark::State& state) { queue_one_thread<Queue>(state, maxsize); });
  for (const std::size_t half : {1U, 2U, 4U}) {
    const std::string n = std::to_string(half);
    queue_row(name + n + "P" + n + "C", suffix, true, [maxsize, half](benchmark::State& state) {
      queue_teams<Queue>(state, maxsize, half);
    });
  }
  return true;
}

template <class Queue>
bool bounded_fifo_rows(const std::string& name, const std::string& suffix) {
  return fifo_rows<Queue>(name + "_Bounded", suffix, 1024);
}

template <class Queue>
bool unbounded_fifo_rows(const std::string& name, const std::string& suffix) {
  return fifo_rows<Queue>(name + "_Unbounded", suffix, 0);
}

template <class Queue>
bool hand_off_rows(const std::string& name, const std::string& suffix) {
  for (const std::size_t cpus : {2U, 1U}) {
    queue_row(name + "_HandOff" + (cpus == 2 ? "TwoCpus" : "OneCpu"), suffix, true,
              [cpus](benchmark::State& state) { queue_hand_off<Queue>(state, cpus); });
  }
  return true;
}

template <class Queue>
bool lifo_rows(const std::string& suffix) {
  queue_row("LifoQueue_Int_OneThread", suffix, false,
            [](benchmark::State& state) { queue_one_thread<Queue>(state, 0); });
  queue_row("LifoQueue_Int_4P4C", suffix, true,
            [](benchmark::State& state) { queue_teams<Queue>(state, 0, 4); });
  return true;
}

template <class Queue>
bool priority_rows(const std::string& suffix) {
  queue_row("PriorityQueue_Int_1000DeepOneThread", suffix, false,
            [](benchmark::State& state) { queue_one_thread<Queue>(state, 0, 1000); });
  queue_row("PriorityQueue_Int_1000Deep4Threads", suffix, true,
            [](benchmark::State& state) { queue_crowd<Queue>(state, 4, 1000); });
  return true;
}

// Of a template for any item, with and without a bound.
template <template <class> class Queue>
bool all_fifo_rows(const std::string& suffix) {
  using Int = Queue<std::int64_t>;
  using String = Queue<std::string>;
  return bounded_fifo_rows<Int>("Queue_Int", suffix) &&
         unbounded_fifo_rows<Int>("Queue_Int", suffix) &&
         bounded_fifo_rows<String>("Queue_String", suffix) &&
         unbounded_fifo_rows<String>("Queue_String", suffix) &&
         hand_off_rows<Int>("Queue_Int", suffix);
}

}  // namespace conc::bench

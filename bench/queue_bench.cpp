// Queues against what people write by hand: a standard container, a mutex and two condition
// variables.
//
//   BM_<Queue>_<Item>_<Situation>   Item is Int (std::int64_t) or String (32 characters, so on the
//   heap)
//
// Time is per item, put and got, over all threads together. In Teams of 4P4C, four threads put and
// four get, at once and as fast as they can; they are pinned to the processors in turn, since left
// alone they often share one, where nothing contends. HandOff is half a round trip between two
// threads that wait for each other.
#include <conc/lifo_queue.hpp>
#include <conc/priority_queue.hpp>
#include <conc/queue.hpp>

#include <benchmark/benchmark.h>
#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <queue>
#include <stack>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

// ---- The rival

template <class Container>
class StdQueue {
 public:
  using value_type = typename Container::value_type;

  explicit StdQueue(std::size_t maxsize = 0) : maxsize_(maxsize) {}

  void put(value_type item) {
    {
      std::unique_lock lock(mutex_);
      if (maxsize_ != 0) not_full_.wait(lock, [this] { return items_.size() < maxsize_; });
      items_.push(std::move(item));
    }
    not_empty_.notify_one();
  }

  value_type get() {
    std::unique_lock lock(mutex_);
    not_empty_.wait(lock, [this] { return !items_.empty(); });
    value_type item = std::move(next());
    items_.pop();
    lock.unlock();
    if (maxsize_ != 0) not_full_.notify_one();
    return item;
  }

 private:
  value_type& next() {
    if constexpr (requires { items_.front(); }) {
      return items_.front();
    } else {
      return const_cast<value_type&>(items_.top());
    }
  }

  std::mutex mutex_;
  std::condition_variable not_empty_;
  std::condition_variable not_full_;
  Container items_;
  const std::size_t maxsize_;
};

template <class T>
using StdFifo = StdQueue<std::queue<T>>;
template <class T>
using StdLifo = StdQueue<std::stack<T>>;
template <class T>
using StdPriority = StdQueue<std::priority_queue<T, std::vector<T>, std::greater<T>>>;

// ---- Items

template <class T>
T item(std::int64_t i) {
  if constexpr (std::is_same_v<T, std::string>) {
    return std::string(32, static_cast<char>('a' + i % 26));
  } else {
    return static_cast<T>(i);
  }
}

// Different from item to item, and no ramp: so that a heap has something to do.
std::int64_t scattered(std::int64_t i) {
  return static_cast<std::int64_t>((static_cast<std::uint64_t>(i) * 0x9E3779B97F4A7C15U) >> 20);
}

// ---- Threads

void pin(std::size_t cpu) {
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

// ---- Situations

template <class Queue>
struct Tag {};

// One thread puts and gets, with `depth` items lying in the queue.
template <class Queue>
void one_thread(benchmark::State& state, std::size_t maxsize, std::int64_t depth = 0) {
  using T = typename Queue::value_type;
  Queue queue(maxsize);
  for (std::int64_t i = 0; i < depth; ++i) queue.put(item<T>(scattered(i)));
  std::int64_t i = depth;
  T moving = item<T>(0);
  for (auto _ : state) {
    if (depth != 0) moving = item<T>(scattered(++i));
    queue.put(std::move(moving));
    moving = queue.get();
    benchmark::DoNotOptimize(moving);
  }
  state.SetItemsProcessed(state.iterations());
}

// `half` threads put and as many get.
template <class Queue>
void teams(benchmark::State& state, std::size_t maxsize, std::size_t half) {
  using T = typename Queue::value_type;
  const std::int64_t each = 40'000 / static_cast<std::int64_t>(half);
  while (state.KeepRunningBatch(each * static_cast<std::int64_t>(half))) {
    Queue queue(maxsize);
    const double seconds = timed_team(
        2 * half, [](std::size_t i) { return i; },
        [&](std::size_t i) {
          if (i < half) {
            for (std::int64_t k = 0; k < each; ++k) queue.put(item<T>(k));
          } else {
            for (std::int64_t k = 0; k < each; ++k) benchmark::DoNotOptimize(queue.get());
          }
        });
    state.SetIterationTime(seconds);
  }
}

// Threads that put and get in turn, with `depth` items lying in the queue.
template <class Queue>
void crowd(benchmark::State& state, std::size_t threads, std::int64_t depth) {
  using T = typename Queue::value_type;
  const std::int64_t each = 40'000 / static_cast<std::int64_t>(threads);
  while (state.KeepRunningBatch(each * static_cast<std::int64_t>(threads))) {
    Queue queue(0);
    for (std::int64_t i = 0; i < depth; ++i) queue.put(item<T>(scattered(i)));
    const double seconds = timed_team(
        threads, [](std::size_t i) { return i; },
        [&](std::size_t i) {
          const std::int64_t base = depth + static_cast<std::int64_t>(i) * each;
          for (std::int64_t k = 0; k < each; ++k) {
            queue.put(item<T>(scattered(base + k)));
            benchmark::DoNotOptimize(queue.get());
          }
        });
    state.SetIterationTime(seconds);
  }
}

// Two threads, each waiting for what the other sends.
template <class Queue>
void hand_off(benchmark::State& state, std::size_t cpus) {
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

// ---- Rows

// Registers a situation for our queue and for the rival.
template <class Ours, class Theirs, class Run>
void row(const std::string& name, Run run, bool timed_by_itself = true) {
  benchmark::internal::Benchmark* const rows[] = {
      benchmark::RegisterBenchmark(("BM_" + name).c_str(),
                                   [run](benchmark::State& state) { run(state, Tag<Ours>()); }),
      benchmark::RegisterBenchmark(("BM_" + name + "_std").c_str(),
                                   [run](benchmark::State& state) { run(state, Tag<Theirs>()); })};
  if (!timed_by_itself) return;
  for (benchmark::internal::Benchmark* const one : rows) one->UseManualTime();
}

template <class T>
void fifo_rows(const std::string& name) {
  using Ours = conc::Queue<T>;
  using Theirs = StdFifo<T>;
  for (const std::size_t maxsize : {1024U, 0U}) {
    const std::string kind = name + (maxsize != 0 ? "_Bounded" : "_Unbounded");
    row<Ours, Theirs>(
        kind + "OneThread",
        [maxsize]<class Q>(benchmark::State& state, Tag<Q>) { one_thread<Q>(state, maxsize); },
        false);
    for (const std::size_t half : {1U, 2U, 4U}) {
      const std::string n = std::to_string(half);
      row<Ours, Theirs>(kind + n + "P" + n + "C",
                        [maxsize, half]<class Q>(benchmark::State& state, Tag<Q>) {
                          teams<Q>(state, maxsize, half);
                        });
    }
  }
}

const bool registered = [] {
  using Int = std::int64_t;
  fifo_rows<Int>("Queue_Int");
  fifo_rows<std::string>("Queue_String");
  for (const std::size_t cpus : {2U, 1U}) {
    row<conc::Queue<Int>, StdFifo<Int>>(
        "Queue_Int_HandOff" + std::string(cpus == 2 ? "TwoCpus" : "OneCpu"),
        [cpus]<class Q>(benchmark::State& state, Tag<Q>) { hand_off<Q>(state, cpus); });
  }
  row<conc::LifoQueue<Int>, StdLifo<Int>>(
      "LifoQueue_Int_OneThread",
      []<class Q>(benchmark::State& state, Tag<Q>) { one_thread<Q>(state, 0); }, false);
  row<conc::LifoQueue<Int>, StdLifo<Int>>(
      "LifoQueue_Int_4P4C",
      []<class Q>(benchmark::State& state, Tag<Q>) { teams<Q>(state, 0, 4); });
  row<conc::PriorityQueue<Int>, StdPriority<Int>>(
      "PriorityQueue_Int_1000DeepOneThread",
      []<class Q>(benchmark::State& state, Tag<Q>) { one_thread<Q>(state, 0, 1000); }, false);
  row<conc::PriorityQueue<Int>, StdPriority<Int>>(
      "PriorityQueue_Int_1000Deep4Threads",
      []<class Q>(benchmark::State& state, Tag<Q>) { crowd<Q>(state, 4, 1000); });
  return true;
}();

}  // namespace

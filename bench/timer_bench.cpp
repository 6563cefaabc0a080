// Timer against what one writes without it: a std::map of deadlines with a thread that sleeps on a
// condition variable (_std), and a thread for each timer, as Python's Timer is one (_thread).

#include <benchmark/benchmark.h>
#include <conc/timer.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "team.hpp"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using conc::bench::measure_team;
using conc::bench::Place;
using conc::bench::team_rules;

// ---- Three ways to have a function called later

class ConcTimer {
 public:
  template <class F>
  ConcTimer(std::chrono::nanoseconds interval, F&& f) : timer_(interval, std::forward<F>(f)) {}
  void start() { timer_.start(); }
  bool cancel() { return timer_.cancel(); }

 private:
  conc::Timer timer_;
};

// Runs the functions in its one thread: a function that blocks delays all others.
class MapService {
 public:
  using Key = std::pair<Clock::time_point, std::uint64_t>;

  static MapService& instance() {
    static MapService* const service = new MapService;
    return *service;
  }

  Key add(Clock::time_point deadline, std::function<void()> f) {
    const std::lock_guard lock(mutex_);
    const auto place = timers_.emplace(Key(deadline, ++last_), std::move(f)).first;
    if (place == timers_.begin()) changed_.notify_one();
    return place->first;
  }

  bool remove(const Key& key) {
    const std::lock_guard lock(mutex_);
    return timers_.erase(key) != 0;
  }

 private:
  MapService() {
    std::thread([this] { serve(); }).detach();
  }

  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (timers_.empty()) {
        changed_.wait(lock);
        continue;
      }
      const auto first = timers_.begin();
      const Clock::time_point deadline = first->first.first;
      if (deadline > Clock::now()) {
        changed_.wait_until(lock, deadline);
        continue;
      }
      const std::function<void()> f = std::move(first->second);
      timers_.erase(first);
      lock.unlock();
      f();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Key, std::function<void()>> timers_;
  std::uint64_t last_ = 0;
};

class MapTimer {
 public:
  template <class F>
  MapTimer(std::chrono::nanoseconds interval, F&& f)
      : interval_(interval), f_(std::forward<F>(f)) {}
  void start() { key_ = MapService::instance().add(Clock::now() + interval_, std::move(f_)); }
  bool cancel() { return MapService::instance().remove(key_); }

 private:
  std::chrono::nanoseconds interval_;
  std::function<void()> f_;
  MapService::Key key_;
};

class ThreadTimer {
 public:
  template <class F>
  ThreadTimer(std::chrono::nanoseconds interval, F&& f)
      : interval_(interval), f_(std::forward<F>(f)) {}
  void start() {
    thread_ = std::thread([this] {
      std::unique_lock lock(mutex_);
      if (!changed_.wait_for(lock, interval_, [this] { return cancelled_; })) f_();
    });
  }
  bool cancel() {
    {
      const std::lock_guard lock(mutex_);
      cancelled_ = true;
    }
    changed_.notify_one();
    thread_.join();
    return true;
  }

 private:
  std::chrono::nanoseconds interval_;
  std::function<void()> f_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool cancelled_ = false;
  std::thread thread_;
};

// ---- Made, started and cancelled; one thread

// With range(0) others that are pending meanwhile, of which half are due before it.
template <class T>
void start_cancel(benchmark::State& state) {
  const auto others = static_cast<std::int64_t>(state.range(0));
  std::atomic<std::int64_t> fired{0};
  std::vector<T> pending;
  pending.reserve(static_cast<std::size_t>(others));
  for (std::int64_t i = 0; i < others; ++i) {
    pending.emplace_back(1h + i * 7200s / others, [&fired] { ++fired; });
    pending.back().start();
  }
  for (auto _ : state) {
    T timer(2h, [&fired] { ++fired; });
    timer.start();
    timer.cancel();
  }
  for (T& timer : pending) timer.cancel();
  if (fired != 0) state.SkipWithError("fired an hour too early");
}
BENCHMARK(start_cancel<ConcTimer>)
    ->Name("BM_Timer_StartCancel")
    ->Arg(1)
    ->Arg(100'000)
    ->UseRealTime();
BENCHMARK(start_cancel<MapTimer>)
    ->Name("BM_Timer_StartCancel_std")
    ->Arg(1)
    ->Arg(100'000)
    ->UseRealTime();

void start_cancel_thread(benchmark::State& state) {
  std::atomic<std::int64_t> fired{0};
  for (auto _ : state) {
    ThreadTimer timer(2h, [&fired] { ++fired; });
    timer.start();
    timer.cancel();
  }
}
BENCHMARK(start_cancel_thread)->Name("BM_Timer_StartCancel_thread")->Arg(1)->UseRealTime();

// A hundred thousand are started, and then cancelled, in another order.
template <class T>
void start_many_cancel_many(benchmark::State& state) {
  constexpr std::size_t count = 100'000;
  std::atomic<std::int64_t> fired{0};
  for (auto _ : state) {
    std::vector<T> timers;
    timers.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      timers.emplace_back(1h + std::chrono::milliseconds(i * 7919 % count), [&fired] { ++fired; });
      timers.back().start();
    }
    for (std::size_t i = 0; i < count; ++i) timers[i * 6007 % count].cancel();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}
BENCHMARK(start_many_cancel_many<ConcTimer>)
    ->Name("BM_Timer_HundredThousand")
    ->Unit(benchmark::kMillisecond);
BENCHMARK(start_many_cancel_many<MapTimer>)
    ->Name("BM_Timer_HundredThousand_std")
    ->Unit(benchmark::kMillisecond);

// ---- The same by two threads at once

template <class T>
void contended(benchmark::State& state) {
  constexpr std::int64_t each = 100'000;
  measure_team(state, 2, Place::spread, each, [](std::size_t) {
    for (std::int64_t i = 0; i < each; ++i) {
      T timer(2h, [] {});
      timer.start();
      timer.cancel();
    }
  });
}
BENCHMARK(contended<ConcTimer>)->Name("BM_Timer_TwoThreads")->Apply(team_rules);
BENCHMARK(contended<MapTimer>)->Name("BM_Timer_TwoThreads_std")->Apply(team_rules);

// ---- Lateness: ten thousand that fire within a second

template <class T>
void lateness(benchmark::State& state) {
  constexpr std::size_t count = 10'000;
  using Milliseconds = std::chrono::duration<double, std::milli>;
  std::vector<double> late(count);
  for (auto _ : state) {
    std::atomic<std::size_t> missing{count};
    std::vector<T> timers;
    timers.reserve(count);
    const Clock::time_point start = Clock::now() + 50ms;
    for (std::size_t i = 0; i < count; ++i) {
      const Clock::time_point due = start + i * 100us;
      timers.emplace_back(due - Clock::now(), [&late, &missing, due, i] {
        late[i] = Milliseconds(Clock::now() - due).count();
        missing.fetch_sub(1);
      });
      timers.back().start();
    }
    while (missing != 0) std::this_thread::sleep_for(10ms);
  }
  std::sort(late.begin(), late.end());
  if (late.front() < 0) state.SkipWithError("fired too early");
  state.counters["p50_ms"] = late[count / 2];
  state.counters["p99_ms"] = late[count * 99 / 100];
  state.counters["max_ms"] = late.back();
}
BENCHMARK(lateness<ConcTimer>)
    ->Name("BM_Timer_TenThousandInASecond")
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(lateness<MapTimer>)
    ->Name("BM_Timer_TenThousandInASecond_std")
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace

// SPDX-License-Identifier: MIT-0
//
// Five threads that wait 20 ms each, started together, take about 20 ms and not 100: they wait at
// the same time. The stopwatch is a function that takes the time of any other.

#include <chrono>
#include <cstdio>
#include <functional>
#include <utility>
#include <vector>

#include <conc/event.hpp>
#include <conc/thread.hpp>

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

template <class F, class... Args>
Clock::duration timed(F&& f, Args&&... args) {
  const Clock::time_point start = Clock::now();
  std::invoke(std::forward<F>(f), std::forward<Args>(args)...);
  return Clock::now() - start;
}

void nap(Clock::duration time) {
  conc::Event never;
  static_cast<void>(never.wait(time));
}

void one_after_another(int n) {
  for (int i = 0; i < n; ++i) nap(20ms);
}

void all_at_once(int n) {
  std::vector<conc::Thread> threads;
  for (int i = 0; i < n; ++i) threads.emplace_back(nap, 20ms);
  for (conc::Thread& thread : threads) thread.start();
  for (conc::Thread& thread : threads) thread.join();
}

int main() {
  const auto row = timed(one_after_another, 5);
  const auto team = timed(all_at_once, 5);
  std::printf("one after another: at least 100 ms: %s\n", row >= 100ms ? "true" : "false");
  std::printf("all at once: at least 20 ms: %s\n", team >= 20ms ? "true" : "false");
}

// SPDX-License-Identifier: MIT-0
//
// Two threads add to a number and two subtract from it, as often. Reading, adding and writing back
// are three steps, so without a lock some of them are lost. With one, or with an atomic number,
// whose adding is one step, the result is 0 every time.

#include <atomic>
#include <cstdio>
#include <vector>

#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>
#include <conc/thread.hpp>

constexpr int rounds = 20'000;

// Runs step(+1) in two threads and step(-1) in two others, many times each.
template <class Step>
void two_against_two(Step step) {
  std::vector<conc::Thread> threads;
  for (const int by : {1, 1, -1, -1}) {
    threads.emplace_back([&step, by] {
      for (int i = 0; i < rounds; ++i) step(by);
    });
  }
  for (conc::Thread& thread : threads) thread.start();
  for (conc::Thread& thread : threads) thread.join();
}

int main() {
  // What a number without a lock does, said with an atomic one: a plain int that several threads
  // write at once is an error in C++, whatever comes of it.
  std::atomic<int> torn = 0;
  two_against_two([&](int by) { torn.store(torn.load() + by); });
  std::printf("in three steps: %s\n", torn == 0 ? "0, by luck" : "not 0");

  conc::Lock lock{"number"};
  int locked = 0;
  two_against_two([&](int by) {
    const conc::LockGuard hold(lock);
    locked += by;
  });
  std::printf("with a lock: %d\n", locked);

  std::atomic<int> atomic = 0;
  two_against_two([&](int by) { atomic.fetch_add(by); });
  std::printf("in one step: %d\n", atomic.load());
}

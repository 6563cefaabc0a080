// SPDX-License-Identifier: MIT-0
//
// The boss wants ten cups. The worker rests after each: Event::wait with a time is a sleep from
// which another thread can wake him, where std::this_thread::sleep_for would let him sleep on.

#include <chrono>
#include <cstdio>

#include <conc/event.hpp>
#include <conc/thread.hpp>

using namespace std::chrono_literals;

int main() {
  conc::Event done{"done"};    // the boss needs no more cups
  conc::Event ready{"ready"};  // ten cups are on the table

  conc::Thread worker({.name = "worker"}, [&] {
    for (int cup = 1; cup <= 10; ++cup) {
      std::printf("worker: cup %d\n", cup);
      if (done.wait(2ms)) return;  // a short rest; true would mean: stop, at once
    }
    ready.set();
    const bool woken = done.wait(1h);  // a long one
    std::printf("worker: %s\n", woken ? "woken, going home" : "slept for an hour");
  });
  worker.start();

  ready.wait();
  std::printf("boss: ten cups, that will do\n");
  done.set();
  worker.join();
}

// SPDX-License-Identifier: MIT-0
//
// Two threads, two locks, each holding one and waiting for the other: a standoff. The program asks
// what everybody waits for, and prints it. Here the waiting has a limit, so that it resolves.
//
// In a program that hangs for real the same can be had from outside: with
// conc::dump_on_signal(SIGQUIT) at the start of main, `kill -QUIT` prints it; started with
// CONC_WATCHDOG=5s in its environment, a program prints it by itself when a thread has waited that
// long.

#include <chrono>
#include <cstdio>
#include <iostream>

#include <conc/diagnostics.hpp>
#include <conc/event.hpp>
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>
#include <conc/thread.hpp>

using namespace std::chrono_literals;

conc::Lock left{"left gun"};
conc::Lock right{"right gun"};

int main() {
  conc::Event bill_is_ready, jack_is_ready;

  conc::Thread bill({.name = "Bill"}, [&] {
    const conc::LockGuard hold(left);
    bill_is_ready.set();
    jack_is_ready.wait();
    if (right.acquire(1min)) {  // until Jack puts it down
      std::printf("Bill has both\n");
      right.release();
    }
  });
  conc::Thread jack({.name = "Jack"}, [&] {
    const conc::LockGuard hold(right);
    jack_is_ready.set();
    bill_is_ready.wait();
    if (left.acquire(200ms)) {
      std::printf("Jack has both\n");
      left.release();
    } else {
      std::printf("Jack gives up\n");
    }
  });
  bill.start();
  jack.start();

  // Until both are asleep, or Jack has given up because main was held up.
  conc::Snapshot seen = conc::snapshot();
  while (seen.objects.size() < 2 && jack.is_alive()) seen = conc::snapshot();
  conc::dump_threads(std::cout, seen);
  std::cout.flush();

  jack.join();
  bill.join();
}

// SPDX-License-Identifier: MIT-0
//
// A hundred threads each take 1 from the same number. To read a number, subtract 1 and write it
// back are three steps; if two threads do them at the same time, one of the subtractions may be
// lost. The lock lets only one thread at a time through.

#include <cstdio>
#include <vector>

#include <conc/config.hpp>
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>
#include <conc/thread.hpp>

conc::Lock counter_lock{"counter"};
int counter CONC_GUARDED_BY(counter_lock) = 100;  // clang refuses to compile a use without the lock

void take_one() {
  const conc::LockGuard hold(counter_lock);
  counter = counter - 1;
}  // the guard has acquired the lock, and releases it here

int main() {
  std::vector<conc::Thread> threads;
  for (int i = 0; i < 100; ++i) threads.emplace_back(take_one);
  for (conc::Thread& thread : threads) thread.start();
  for (conc::Thread& thread : threads) thread.join();

  const conc::LockGuard hold(counter_lock);
  std::printf("%zu threads have left %d\n", threads.size(), counter);
}

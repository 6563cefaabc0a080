// SPDX-License-Identifier: MIT-0
//
// A barrier that somebody gives up on, by abort() or because the time is over, is broken: all who
// wait there get an exception, and so does everyone who comes later, until reset().

#include <chrono>
#include <cstdio>
#include <functional>

#include <conc/barrier.hpp>
#include <conc/errors.hpp>
#include <conc/thread.hpp>

using namespace std::chrono_literals;

void wait_at(conc::Barrier& barrier, const char* who) {
  try {
    static_cast<void>(barrier.wait(1h));
    std::printf("%s: on we go\n", who);
  } catch (const conc::BrokenBarrier&) {
    std::printf("%s: the barrier is broken\n", who);
  }
}

int main() {
  conc::Barrier barrier(3);
  conc::Thread anne(wait_at, std::ref(barrier), "a player");
  conc::Thread bert(wait_at, std::ref(barrier), "a player");
  anne.start();
  bert.start();
  barrier.abort();  // whether they wait already or come later
  anne.join();
  bert.join();
  wait_at(barrier, "a latecomer");

  conc::Barrier lonely(3);
  try {
    static_cast<void>(lonely.wait(10ms));
  } catch (const conc::BrokenBarrier&) {
    std::printf("alone for 10 ms, and the barrier is %s\n", lonely.broken() ? "broken" : "whole");
  }
  lonely.reset();
  std::printf("after reset() it is %s\n", lonely.broken() ? "broken" : "whole");
}

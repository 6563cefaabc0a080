// SPDX-License-Identifier: MIT-0
//
// join() waits for a thread to end; with a time, it gives up when that is over and returns false.

#include <chrono>
#include <cstdio>

#include <conc/event.hpp>
#include <conc/thread.hpp>

using namespace std::chrono_literals;

int main() {
  conc::Event may_end;
  conc::Thread sleeper({.name = "sleeper"}, [&] { may_end.wait(); });
  sleeper.start();

  // The thread cannot end yet, so this takes the whole 50 ms.
  if (!sleeper.join(50ms)) std::printf("after 50 ms it is still alive\n");

  may_end.set();

  // This returns as soon as the thread has ended, long before the minute is over.
  if (sleeper.join(1min)) std::printf("now it has ended\n");

  // Joining once more does no harm: it has ended, so there is nothing to wait for.
  sleeper.join();
  std::printf("it is %s\n", sleeper.is_alive() ? "alive" : "not alive");
}

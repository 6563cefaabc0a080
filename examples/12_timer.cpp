// SPDX-License-Identifier: MIT-0
//
// A Timer calls a function once, later; unless it is cancelled before. Here it is a deadline: the
// cook starts one for every dish, and cancels it when the dish is ready in time.

#include <chrono>
#include <cstdio>

#include <conc/event.hpp>
#include <conc/timer.hpp>

using namespace std::chrono_literals;

void cook(const char* dish, conc::Event& ready, std::chrono::milliseconds limit) {
  conc::Event too_late{"too late"};
  conc::Timer deadline(limit, [&] {
    std::printf("timer: where is the %s?\n", dish);
    too_late.set();
  });
  deadline.start();

  // The dish that nobody cooks is not ready until the timer has said so.
  if (!ready.is_set()) too_late.wait();

  // Once this has returned the timer neither runs nor will run, so what it refers to may go.
  const bool prevented = deadline.cancel_and_wait();
  std::printf("cook: the %s %s\n", dish, prevented ? "was ready in time" : "was too late");
}

int main() {
  conc::Event egg{"egg"};
  conc::Event goose{"goose"};
  egg.set();
  cook("egg", egg, 1h);
  cook("goose", goose, 50ms);
}

// SPDX-License-Identifier: MIT-0
//
// The monkey waits for a banana. wait() returns whether it came in time.

#include <chrono>
#include <cstdio>

#include <conc/event.hpp>
#include <conc/thread.hpp>

using namespace std::chrono_literals;

int main() {
  conc::Event banana{"banana"};
  conc::Event noise{"noise"};

  conc::Thread monkey({.name = "monkey"}, [&] {
    const bool at_first = banana.wait(20ms);
    std::printf("monkey: after 20 ms %s\n", at_first ? "a banana" : "no banana, so I make noise");
    noise.set();
    const bool in_the_end = banana.wait(1min);
    std::printf("monkey: within a minute %s\n", in_the_end ? "a banana" : "no banana");
  });
  monkey.start();

  noise.wait();  // the keeper comes when he hears something
  std::printf("keeper: here it is\n");
  banana.set();
  monkey.join();
  std::printf("keeper: the banana is %s\n", banana.is_set() ? "given" : "still here");
}

// SPDX-License-Identifier: MIT-0
//
// Every thread has a name and a number. The operating system knows the name too: `top -H` shows it.

#include <cstdio>

#include <conc/thread.hpp>

int main() {
  // The name is one of the options, which stand before the function.
  conc::Thread baker({.name = "baker"}, [] { std::printf("bread is in the oven\n"); });
  std::printf("%s has %s number before the start\n", baker.name().c_str(),
              baker.ident() ? "a" : "no");
  baker.start();
  baker.join();
  std::printf("%s has %s number after the start\n", baker.name().c_str(),
              baker.ident() ? "a" : "no");

  // Without a name it gets the next of Thread-1, Thread-2 and so on.
  conc::Thread helper([] { std::printf("dishes are clean\n"); });
  std::printf("somebody without a name is called %s\n", helper.name().c_str());
  helper.start();
  helper.join();
  std::printf("the two have %s number\n",
              helper.ident() == baker.ident() ? "the same" : "not the same");

  // A name can be changed at any time.
  helper.set_name("baker's helper");
  std::printf("now it is called %s\n", helper.name().c_str());
}

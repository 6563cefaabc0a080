// SPDX-License-Identifier: MIT-0
//
// Two workers need a server that is not up yet. They wait for an Event, and say so while it lasts;
// main looks whether the server answers, and sets the event when it does.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <vector>

#include <conc/event.hpp>
#include <conc/thread.hpp>

using namespace std::chrono_literals;

int main() {
  conc::Event ready{"redis is ready"};
  std::atomic<int> reminders = 0;

  const auto work = [&] {
    while (!ready.wait(2ms)) ++reminders;  // "still waiting", now and then
    std::printf("worker: connected\n");
  };
  std::vector<conc::Thread> workers;
  for (int i = 0; i < 2; ++i) workers.emplace_back(work);
  for (conc::Thread& worker : workers) worker.start();

  std::printf("main: is it up?\n");
  while (reminders < 3) static_cast<void>(ready.wait(1ms));  // the server takes its time
  std::printf("main: it is\n");
  ready.set();
  for (conc::Thread& worker : workers) worker.join();
  std::printf("a latecomer need not wait: %s\n", ready.wait(conc::at_once) ? "true" : "false");
}

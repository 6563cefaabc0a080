// SPDX-License-Identifier: MIT-0
//
// Three queues that differ in what comes out first, and what put() and get() do when they cannot go
// on.

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <conc/errors.hpp>
#include <conc/lifo_queue.hpp>
#include <conc/priority_queue.hpp>
#include <conc/queue.hpp>

using namespace std::chrono_literals;

int main() {
  conc::Queue<int> fifo;  // no size: as many items as there is memory for
  conc::LifoQueue<int> lifo;
  conc::PriorityQueue<std::pair<int, std::string>> priority;  // the smallest pair first

  for (int i = 1; i <= 3; ++i) {
    fifo.put(i);
    lifo.put(i);
  }
  priority.put({3, "sweep the floor"});
  priority.put({1, "put out the fire"});
  priority.put({2, "feed the cat"});
  std::printf("%zu items\n", fifo.size());
  while (const std::optional<int> item = fifo.try_get())
    std::printf("first in, first out: %d\n", *item);
  while (const std::optional<int> item = lifo.try_get())
    std::printf("last in, first out: %d\n", *item);
  while (const auto job = priority.try_get())
    std::printf("%d: %s\n", job->first, job->second.c_str());

  conc::Queue<std::unique_ptr<int>> small(1, "small");
  small.put(std::make_unique<int>(1));
  auto item = std::make_unique<int>(2);
  try {
    small.put(std::move(item), 10ms);  // or conc::at_once, or a std::stop_token
  } catch (const conc::Full& full) {
    std::printf("%s\n", full.what());
  }
  if (!small.try_put(std::move(item))) std::printf("and the item is still here: %d\n", *item);

  static_cast<void>(small.get());
  try {
    static_cast<void>(small.get(10ms));
  } catch (const conc::Empty& empty) {
    std::printf("%s\n", empty.what());
  }
}

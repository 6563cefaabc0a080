// SPDX-License-Identifier: MIT-0
//
// A stop flag and a queue. An Event that the consumer looks at between two gets does not reach it
// while it waits in get(): when the producer has stopped, it would wait for ever. Three ways to end
// it: shutdown(), as in 20_producer_consumer; a stop request, for which get() stops waiting; or a
// last item that means "that was all".

#include <chrono>
#include <cstdio>
#include <optional>
#include <stop_token>

#include <conc/event.hpp>
#include <conc/queue.hpp>
#include <conc/thread.hpp>

using namespace std::chrono_literals;

// The thread has a stop token of its own, and request_stop() reaches it wherever it waits.
void stop_request() {
  conc::Queue<int> queue;
  conc::Event enough;  // for the producer, whose pause it is as well
  int got = 0;

  conc::Thread producer([&] {
    for (int i = 0; !enough.wait(1ms); ++i) queue.put(i);
  });
  conc::Thread consumer([&](const std::stop_token& stop) {
    while (const std::optional<int> item = queue.try_get(stop)) {
      if (++got == 3) enough.set();
    }
  });
  producer.start();
  consumer.start();
  producer.join();
  consumer.request_stop();
  consumer.join();
  std::printf("stop request: got %s, the consumer has ended\n", got >= 3 ? "3 or more" : "less");
}

void last_item() {
  conc::Queue<std::optional<int>> queue;
  int got = 0;
  conc::Thread consumer([&] {
    while (const std::optional<int> item = queue.get()) got += *item;
  });
  consumer.start();
  for (int i = 1; i <= 4; ++i) queue.put(i);
  queue.put(std::nullopt);
  consumer.join();
  std::printf("last item: got %d\n", got);
}

int main() {
  stop_request();
  last_item();
}

// SPDX-License-Identifier: MIT-0
//
// A task that waits for another task of its own pool: with one worker, most pools hang. Here the
// worker that waits runs the task it waits for, when that is still queued.
//
// What no pool can mend is a task that waits for something else than a future: it holds its worker,
// and the task that would bring the news stays in the queue.

#include <chrono>
#include <cstdio>
#include <functional>

#include <conc/event.hpp>
#include <conc/thread_pool_executor.hpp>

using namespace std::chrono_literals;

int sum_to(conc::ThreadPoolExecutor& pool, int n) {
  if (n == 0) return 0;
  return n + pool.submit(sum_to, std::ref(pool), n - 1).result();
}

int main() {
  conc::ThreadPoolExecutor pool(1);

  // Fixed: a thousand tasks, each inside the other, in one thread.
  std::printf("the sum to 1000 is %d\n", pool.submit(sum_to, std::ref(pool), 1000).result());
  std::printf("by %zu worker\n", pool.stats().workers);

  // Broken: the outer task waits for an event, and the inner one, which would set it, is never
  // begun.
  const bool heard = pool.submit([&pool] {
                           conc::Event news;
                           const auto inner = pool.submit([&news] { news.set(); });
                           const bool in_time = news.wait(20ms);
                           inner.wait();  // this is a future again: it is run here
                           return in_time;
                         })
                         .result();
  std::printf("waiting for an event: %s\n", heard ? "heard" : "nothing came");
}

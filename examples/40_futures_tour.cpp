// SPDX-License-Identifier: MIT-0
//
// A tour of futures: results, exceptions, cancelling, and why to collect futures first and results
// later.

#include <chrono>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>

#include <conc/errors.hpp>
#include <conc/event.hpp>
#include <conc/thread_pool_executor.hpp>

using namespace std::chrono_literals;

int square(int n) { return n * n; }

int main() {
  conc::ThreadPoolExecutor pool(4);

  // submit() returns at once; result() waits.
  const conc::Future<int> answer = pool.submit([](int a, int b) { return a * b; }, 6, 7);
  std::printf("answer: %d\n", answer.result());
  std::printf("done: %s\n", answer.done() ? "yes" : "no");

  // What a task throws comes out of result(), and is there to be looked at.
  const auto bad = pool.submit([] { return std::stoi("not a number"); });
  try {
    std::printf("%d\n", bad.result());
  } catch (const std::invalid_argument& error) {
    std::printf("result() threw: %s\n", error.what());
  }
  std::printf("exception(): %s\n", bad.exception() ? "there is one" : "none");

  // A running task cannot be cancelled, but one that takes a stop token is asked to stop.
  conc::Event begun;
  const auto endless = pool.submit([&begun](std::stop_token stop) {
    begun.set();
    while (!stop.stop_requested()) std::this_thread::yield();
    return "stopped when it was asked to";
  });
  begun.wait();
  std::printf("cancel() of a running task: %s\n", endless.cancel() ? "true" : "false");
  std::printf("it %s\n", endless.result());

  // Four workers and ten tasks. Asking for each result inside this loop would run them one by one:
  // so keep the futures, and collect later.
  std::map<int, conc::Future<int>> squares;
  for (int n = 0; n < 10; ++n) squares[n] = pool.submit(square, n);
  for (const auto& [n, future] : squares) std::printf("%d^2 = %d\n", n, future.result());

  // A wait may have an end.
  conc::Event never;
  const auto slow = pool.submit([&never] { never.wait(); });
  try {
    slow.result(10ms);
  } catch (const conc::TimeoutError&) {
    std::printf("no result after 10 ms\n");
  }
  never.set();

  // Taken off the queue before a worker came to it.
  pool.pause();
  const auto queued = pool.submit(square, 11);
  std::printf("cancel() of a queued task: %s\n", queued.cancel() ? "true" : "false");
  std::printf("cancelled: %s, done: %s\n", queued.cancelled() ? "yes" : "no",
              queued.done() ? "yes" : "no");
  pool.resume();
}  // the pool's destructor waits for what was submitted

// SPDX-License-Identifier: MIT-0
//
// The smallest program: a queue, a pool of threads, and a callback for each result.
//
// Build it with: cmake -S . -B build && cmake --build build && build/smallest

#include <cstdio>

#include <conc/conc.hpp>

int square(int number) { return number * number; }

int main() {
  conc::Queue<int> numbers(3);  // holds three at most: put() waits while it is full

  // A thread that puts numbers into the queue, and then says that there are no more.
  conc::Thread producer([&] {
    for (int i = 1; i <= 10; ++i) numbers.put(i);
    numbers.shutdown();
  });
  producer.start();

  // Two threads that wait for work. submit() gives them some, and returns at once, with a future of
  // what square() will return; when that is there, one of the two threads calls the callback, or
  // this one does, if it is there already.
  conc::ThreadPoolExecutor pool(2);
  for (int number : numbers) {  // ends when the queue is shut down and empty
    pool.submit(square, number).add_done_callback([number](const conc::Future<int>& done) {
      std::printf("%d squared is %d\n", number, done.result());
    });
  }
}  // the pool finishes its work before it goes, and the thread is waited for

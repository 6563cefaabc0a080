// Lets a test's threads start together.
#pragma once

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace conc::test {

// Runs f(i) in n threads at once, i from 0; returns when all are done.
template <class F>
void together(std::size_t n, F&& f) {
  std::atomic<std::size_t> missing{n};
  std::vector<std::thread> threads;
  threads.reserve(n);
  for (std::size_t i = 0; i < n; ++i) {
    threads.emplace_back([&missing, &f, i] {
      missing.fetch_sub(1);
      while (missing.load() != 0) std::this_thread::yield();
      f(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace conc::test

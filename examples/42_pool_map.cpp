// SPDX-License-Identifier: MIT-0
//
// map: one function over a range, results in the order of the range, whoever is done first.

#include <cstdio>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include <conc/thread_pool_executor.hpp>

int main() {
  conc::ThreadPoolExecutor pool(4);
  std::vector<int> numbers(20);
  std::iota(numbers.begin(), numbers.end(), 1);

  for (const int square : pool.map([](int n) { return n * n; }, numbers))
    std::printf("%d ", square);
  std::printf("\n");

  // Two ranges, up to the end of the shorter; at most three calls ahead of the loop.
  const std::vector<std::string> names{"ant", "bee", "cow"};
  for (const std::string& line : pool.map(
           {.buffersize = 3},
           [](int n, const std::string&name) { return std::to_string(n) + " " + name; }, numbers,
           names)) {
    std::printf("%s\n", line.c_str());
  }

  // A call that throws ends the loop where its result would have been, and cancels the rest.
  try {
    for (const int half : pool.map(
             [](int n) {
               if (n == 4) throw std::domain_error("four");
               return n * 10;
             },
             numbers)) {
      std::printf("%d\n", half);
    }
  } catch (const std::domain_error& error) {
    std::printf("stopped by %s\n", error.what());
  }

  // Calls this short are worth handing out by the hundred; and without results, parallel_for does.
  std::vector<int> many(100'000, 1);
  long sum = 0;
  for (const int n : pool.map(
           {.chunksize = 1000}, [](int x) { return x + 1; }, many))
    sum += n;
  pool.parallel_for(many, [](int& x) { x += 2; });
  std::printf("%ld %ld\n", sum, std::accumulate(many.begin(), many.end(), 0L));
}

#include <conc/detail/short_lock.hpp>
#include <conc/detail/waiting.hpp>

#include <algorithm>
#include <chrono>
#include <exception>

#include "spin.hpp"

namespace conc::detail {
namespace {

// A thread that pauses and looks again takes the cache line from the holder, who then takes longer;
// one that yields leaves it alone for long enough, whether another thread runs meanwhile or not.
// Chosen with the rows of several threads of the queue and executor benchmarks.
constexpr int yields_at_first = 4;

constexpr std::chrono::microseconds shortest_nap{20};
constexpr std::chrono::microseconds longest_nap{1000};

// Sleeps where all threads sleep, but in no list, so until the time is up.
void nap(const void* lock, std::chrono::microseconds time) noexcept {
  try {
    ThreadNode node({WaitKind::short_lock, lock, nullptr});
    Patience patience(time);
    static_cast<void>(node.sleep(patience));
  } catch (const std::exception&) {
    cpu_yield();  // no memory for the thread's record, at its first contact with the library
  }
}

}  // namespace

void ShortLock::lock_slow() noexcept {
  const auto take = [this] {
    return !held_.load(std::memory_order_relaxed) &&
           !held_.exchange(true, std::memory_order_acquire);
  };
  for (int i = 0; i < yields_at_first; ++i) {
    cpu_yield();
    if (take()) return;
  }
  for (auto time = shortest_nap; !spin(take); time = std::min(2 * time, longest_nap)) {
    nap(this, time);
  }
}

}  // namespace conc::detail

// How a test waits for another thread to get somewhere: by asking, not by sleeping.
#pragma once

#include <conc/detail/inspect.hpp>

#include <chrono>
#include <cstddef>
#include <thread>

namespace conc::test {

// Asks until the answer is true; false when it has not come in half a minute, which no machine is
// slow enough for.
template <class Predicate>
[[nodiscard]] bool eventually(Predicate&& predicate) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!predicate()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::yield();
  }
  return true;
}

// How many threads wait in the object's list.
template <class Object>
[[nodiscard]] std::size_t waiters(const Object& object) {
  return detail::Inspect::waiters(object);
}

// Returns once exactly n threads wait there.
template <class Object>
[[nodiscard]] bool eventually_waiting(const Object& object, std::size_t n) {
  return eventually([&] { return waiters(object) == n; });
}

}  // namespace conc::test

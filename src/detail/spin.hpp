// Spinning before sleep: how long, and when not.
#pragma once

#include <conc/detail/machine.hpp>

#include <cstdint>

namespace conc::detail {

// How many times to look before sleeping: so many rounds of so many pauses and one yield. A pause
// takes 10 to 40 ns. The pauses of the first round last for a cache line's round trip between two
// processors, or a short critical section; the yield lets the thread that is waited for run when it
// shares this processor, which a longer stretch of pauses would only hold up. Chosen with the
// ping-pong and contended rows of the lock, event, condition, semaphore and barrier benchmarks.
struct SpinLimits {
  static constexpr std::uint32_t rounds = 4;
  static constexpr std::uint32_t pauses = 10;
};

// True when only one processor may run this process: pausing then only keeps the other thread from
// running.
[[nodiscard]] bool single_cpu() noexcept;

// Looks with `ready` until it says true or the limits are reached; returns what it said last.
template <class Ready>
bool spin(Ready&& ready) noexcept {
  const std::uint32_t pauses = single_cpu() ? 0 : SpinLimits::pauses;
  for (std::uint32_t round = 0; round < SpinLimits::rounds; ++round) {
    for (std::uint32_t i = 0; i < pauses; ++i) {
      if (ready()) return true;
      cpu_pause();
    }
    if (ready()) return true;
    cpu_yield();
  }
  return ready();
}

}  // namespace conc::detail

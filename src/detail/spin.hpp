// Spinning before sleep: how long, and when not.
#pragma once

#include <conc/detail/machine.hpp>

#include <cstdint>

namespace conc::detail {

// How long to look before sleeping: rounds of a few looks and a yield, with one pause between two
// looks in the first round and twice as many in each one after it. A pause takes 10 to 40 ns, so
// all of it takes 3 to 10 us, less than a trip to sleep and back across processors.
//
// The first rounds are short, because a thread that shares this processor with the one it waits for
// must let it run soon; the yield does that. The later ones are long, because a look takes the
// cache line from the thread that is about to write to it. Chosen with the ping-pong and contended
// rows of the lock, event, condition, semaphore and barrier benchmarks.
struct SpinLimits {
  static constexpr std::uint32_t rounds = 6;
  static constexpr std::uint32_t looks = 4;
};

// True when only one processor may run this process: pausing then only keeps the other thread from
// running.
[[nodiscard]] bool single_cpu() noexcept;

// Looks with `ready` until it says true or the limits are reached; returns what it said last.
template <class Ready>
bool spin(Ready&& ready) noexcept {
  const std::uint32_t looks = single_cpu() ? 0 : SpinLimits::looks;
  for (std::uint32_t round = 0; round < SpinLimits::rounds; ++round) {
    for (std::uint32_t i = 0; i < looks; ++i) {
      if (ready()) return true;
      for (std::uint32_t pauses = 1U << round; pauses != 0; --pauses) cpu_pause();
    }
    if (ready()) return true;
    cpu_yield();
  }
  return ready();
}

}  // namespace conc::detail

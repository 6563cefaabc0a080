// Spinning before sleep: how long, and when not.
#pragma once

#include <conc/detail/machine.hpp>

#include <cstdint>

namespace conc::detail {

// How many times to look before sleeping. A pause takes 10 to 40 ns, so the first step lasts about
// half a microsecond: a cache line's round trip between two processors, or a short critical
// section. A yield lets the thread that is waited for run when it shares this processor.
struct SpinLimits {
  static constexpr std::uint32_t pauses = 40;
  static constexpr std::uint32_t yields = 4;
};

// True when only one processor may run this process: pausing then only keeps the other thread from
// running.
[[nodiscard]] bool single_cpu() noexcept;

// Looks with `ready` until it says true or the limits are reached; returns what it said last.
template <class Ready>
bool spin(Ready&& ready) noexcept {
  if (!single_cpu()) {
    for (std::uint32_t i = 0; i < SpinLimits::pauses; ++i) {
      if (ready()) return true;
      cpu_pause();
    }
  }
  for (std::uint32_t i = 0; i < SpinLimits::yields; ++i) {
    if (ready()) return true;
    cpu_yield();
  }
  return ready();
}

}  // namespace conc::detail

#include "at_exit.hpp"

#include <conc/detail/machine.hpp>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <mutex>

#include "fork.hpp"

namespace conc::detail {
namespace {

// One for each kind of work that the library knows; a few are plenty.
constexpr std::size_t most_kinds = 8;

// Without destructors that do anything: registrations may come while globals are destroyed.
constinit Mutex mutex;
constinit std::array<ExitWait, most_kinds> waits{};
constinit std::size_t count = 0;

[[maybe_unused]] const bool at_load = (guard_over_fork(mutex), true);

ExitWait nth(std::size_t i) noexcept {
  const std::lock_guard lock(mutex);
  return i < count ? waits[i] : nullptr;
}

void wait_for_all() noexcept {
  for (bool any = true; any;) {
    any = false;
    for (std::size_t i = 0; const ExitWait wait = nth(i); ++i) any = wait() || any;
  }
}

}  // namespace

void wait_at_exit(ExitWait wait) noexcept {
  bool first = false;
  {
    const std::lock_guard lock(mutex);
    for (std::size_t i = 0; i < count; ++i) {
      if (waits[i] == wait) return;
    }
    first = count == 0;
    waits[count++] = wait;
  }
  if (first) std::atexit(wait_for_all);
}

}  // namespace conc::detail

// Which process this is.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/machine.hpp>

#include <atomic>
#include <cstdint>
#include <string_view>

namespace conc::logging::detail {

extern constinit conc::detail::Atomic<std::int64_t> known_process_id;  // 0: not asked yet

// Asks the system.
CONC_COLD std::int64_t look_up_process_id() noexcept;

// The operating system's number. Kept, so no system call.
[[nodiscard]] inline std::int64_t process_id() noexcept {
  const std::int64_t id = known_process_id.load(std::memory_order_relaxed);
  return id != 0 ? id : look_up_process_id();
}

// In the child of a fork.
void forget_process_id() noexcept;

// Python's name for a process that nobody gave another.
inline constexpr std::string_view process_name = "MainProcess";

}  // namespace conc::logging::detail

// Which process this is.
#pragma once

#include <cstdint>
#include <string_view>

namespace conc::logging::detail {

// The operating system's number. Kept, so no system call.
[[nodiscard]] std::int64_t process_id() noexcept;

// In the child of a fork.
void forget_process_id() noexcept;

// Python's name for a process that nobody gave another.
inline constexpr std::string_view process_name = "MainProcess";

}  // namespace conc::logging::detail

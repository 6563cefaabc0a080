// How logging says on stderr that logging itself went wrong.
#pragma once

#include <conc/detail/machine.hpp>
#include <conc/export.hpp>

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>

namespace conc::logging::detail {

// Writes "conc.logging: ", the parts, and a line end to stderr, in one piece.
CONC_LOGGING_EXPORT void complain(std::initializer_list<std::string_view> parts) noexcept;

// The exception that is being handled, as text; "" if there is none.
[[nodiscard]] std::string describe_current_exception() noexcept;

// Keeps complaints of one sort to one a second, so that a full disk does not fill the terminal too.
class Complaint {
 public:
  // Whether to complain now. When it says so, it does not for a second.
  [[nodiscard]] bool due() noexcept;

 private:
  // On the steady clock, in nanoseconds.
  conc::detail::Atomic<std::int64_t> quiet_until_{std::numeric_limits<std::int64_t>::min()};
};

}  // namespace conc::logging::detail

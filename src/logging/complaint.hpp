// How logging says on stderr that logging itself went wrong.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/machine.hpp>
#include <conc/export.hpp>

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>

namespace conc::logging {
class Logger;
}

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

// ---- Records that are lost before a handler has them, which none counts therefore
//
// A message that could not be formatted is one sort, a record that a logger lost the other. Of each
// one in a second is named, whichever calls and loggers they are. The others are counted, and how
// many they were is said with the next one, by logging::shutdown(), and in the end: once the
// library's own globals are destroyed each one is named.
//
// Counting takes neither a lock nor memory. See complain_of_format() as well.

// Writes to stderr that the logger lost a record, and why. Called in a catch block.
CONC_COLD void complain_of_loss(const Logger& logger) noexcept;

// Says how many were left out, of each sort of which some were.
void say_what_was_left_out() noexcept;

// In the child of a fork: what was left out is the parent's to say.
void forget_what_was_left_out() noexcept;

}  // namespace conc::logging::detail

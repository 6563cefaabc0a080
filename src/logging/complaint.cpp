#include "complaint.hpp"

#include <conc/hooks.hpp>
#include <conc/logging/logger.hpp>

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>

namespace conc::logging::detail {

void complain(std::initializer_list<std::string_view> parts) noexcept {
  try {
    std::string line = "conc.logging: ";
    for (const std::string_view part : parts) line += part;
    line += '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
  } catch (...) {
    std::fputs("conc.logging: a record was lost, and there is no memory to say why\n", stderr);
  }
}

bool Complaint::due() noexcept {
  using std::chrono::nanoseconds;
  constexpr std::int64_t second = nanoseconds(std::chrono::seconds(1)).count();
  const std::int64_t now = nanoseconds(conc::detail::SteadyClock::now().time_since_epoch()).count();
  std::int64_t until = quiet_until_.load(std::memory_order_relaxed);
  return now >= until &&
         quiet_until_.compare_exchange_strong(until, now + second, std::memory_order_relaxed);
}

std::string describe_current_exception() noexcept {
  try {
    return conc::describe(std::current_exception());
  } catch (...) {
    return "out of memory";  // short enough for a string without memory
  }
}

void complain_of_format(const CallSite& site) noexcept {
  static constinit Complaint complaint;
  if (!complaint.due()) return;
  char digits[16];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, site.line);
  complain({site.pathname,
            ":",
            {digits, static_cast<std::size_t>(end.ptr - digits)},
            ": the message could not be formatted: ",
            describe_current_exception()});
}

}  // namespace conc::logging::detail

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

namespace {

// Those of one sort.
class Losses {
 public:
  constexpr explicit Losses(std::string_view sort) noexcept : sort_(sort) {}

  // Writes the parts, and what is being handled behind them, or counts it.
  void name(std::initializer_list<std::string_view> parts) noexcept {
    if (!complaint_.due() && !ended_.load(std::memory_order_relaxed)) {
      left_out_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    const std::uint64_t others = left_out_.exchange(0, std::memory_order_relaxed);
    try {
      std::string line;
      for (const std::string_view part : parts) line += part;
      line += describe_current_exception();
      if (others != 0) line += " (" + std::to_string(others) + " more were lost meanwhile)";
      complain({line});
    } catch (...) {
      left_out_.fetch_add(others, std::memory_order_relaxed);
      complain(parts);
    }
  }

  void say_left_out() noexcept {
    const std::uint64_t count = left_out_.exchange(0, std::memory_order_relaxed);
    if (count == 0) return;
    char digits[20];
    const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, count);
    complain({sort_, ": ", {digits, static_cast<std::size_t>(end.ptr - digits)}, " more"});
  }

  void forget() noexcept { left_out_.store(0, std::memory_order_relaxed); }

  // From here on all are named.
  void end() noexcept {
    ended_.store(true, std::memory_order_relaxed);
    say_left_out();
  }

 private:
  const std::string_view sort_;
  Complaint complaint_;
  conc::detail::Atomic<std::uint64_t> left_out_{0};
  conc::detail::Atomic<bool> ended_{false};
};

// Nothing destroys them: they serve destructors of globals as well.
constinit Losses unformatted{"messages that could not be formatted"};
constinit Losses lost_by_loggers{"records that loggers lost"};

struct AtTheEnd {
  ~AtTheEnd() {
    unformatted.end();
    lost_by_loggers.end();
  }
};

[[maybe_unused]] const AtTheEnd at_the_end;

}  // namespace

void complain_of_format(const CallSite& site) noexcept {
  char digits[16];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, site.line);
  unformatted.name({site.pathname,
                    ":",
                    {digits, static_cast<std::size_t>(end.ptr - digits)},
                    ": the message could not be formatted: "});
}

void complain_of_loss(const Logger& logger) noexcept {
  lost_by_loggers.name({"logger \"", logger.name(), "\": a record was lost: "});
}

void say_what_was_left_out() noexcept {
  unformatted.say_left_out();
  lost_by_loggers.say_left_out();
}

void forget_what_was_left_out() noexcept {
  unformatted.forget();
  lost_by_loggers.forget();
}

}  // namespace conc::logging::detail

// Writes a dump when a thread waits for longer than the environment allows.

#include <conc/detail/machine.hpp>
#include <conc/detail/no_signals.hpp>
#include <conc/detail/thread_record.hpp>
#include <conc/diagnostics.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "dump.hpp"

namespace conc::detail {
namespace {

using Duration = SteadyClock::duration;

// "5s", "500ms", "2min", "1.5" (seconds); nothing when it says no time above zero.
std::optional<Duration> parse(const char* text) {
  char* end = nullptr;
  const double number = std::strtod(text, &end);
  const std::string_view unit(end);
  const double seconds = unit == "ms"                  ? number / 1000
                         : unit == "min"               ? number * 60
                         : unit.empty() || unit == "s" ? number
                                                       : 0;
  if (!(seconds > 0) || seconds > 1e8) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

// The waits that were reported, each by its thread and its beginning.
using Reported = std::vector<std::pair<std::uint64_t, SteadyClock::time_point>>;

// Returns the waits that last longer than the limit.
Reported overlong(const Snapshot& seen, Duration limit) {
  Reported found;
  for (const auto& [info, wait] : seen.threads) {
    if (wait && !wait->idle && seen.steady_time - wait->since > limit) {
      found.emplace_back(info.ident, wait->since);
    }
  }
  return found;
}

[[noreturn]] void watch(Duration limit) {
  Mutex mutex;
  CondVar never;
  Reported known;
  const Duration pause =
      std::clamp<Duration>(limit / 4, std::chrono::milliseconds(10), std::chrono::seconds(1));
  for (std::unique_lock lock(mutex);;) {
    never.wait_for(lock, pause);
    try {
      const Snapshot seen = snapshot();
      Reported now = overlong(seen, limit);
      const bool fresh = std::any_of(now.begin(), now.end(), [&known](const auto& wait) {
        return std::find(known.begin(), known.end(), wait) == known.end();
      });
      if (fresh) dump_to_stderr(seen);
      known = std::move(now);
    } catch (const std::exception&) {
      // No memory now; perhaps at the next look.
    }
  }
}

}  // namespace

void start_watchdog_if_asked() noexcept {
  const char* const text = std::getenv("CONC_WATCHDOG");
  if (text == nullptr || *text == '\0') return;
  try {
    const std::optional<Duration> limit = parse(text);
    if (!limit) {
      std::fprintf(stderr,
                   "conc: CONC_WATCHDOG=%s is no time; write it as 5s, 500ms or 2min. There is no "
                   "watchdog.\n",
                   text);
      return;
    }
    const NoSignals none;
    NativeThread([limit] { watch(*limit); }).detach();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "conc: there is no watchdog: %s\n", error.what());
  }
}

}  // namespace conc::detail

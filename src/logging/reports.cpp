#include "reports.hpp"

#include <conc/detail/waiting.hpp>
#include <conc/hooks.hpp>
#include <conc/logging/logger.hpp>

#include <algorithm>

#include "active.hpp"
#include "listening.hpp"

namespace conc::logging::detail {
namespace {

Level level_of(Severity severity) noexcept {
  switch (severity) {
    case Severity::debug:
      return Level::debug;
    case Severity::info:
      return Level::info;
    case Severity::warning:
      return Level::warning;
    case Severity::error:
      return Level::error;
    case Severity::critical:
      return Level::critical;
  }
  return Level::critical;
}

// Whether a record would get to a handler. The last resort, which begins with Level::warning, is
// not counted.
bool is_taken(const Logger& logger, Level level) {
  if (!logger.is_enabled_for(level)) return false;
  const Logger* next = &logger;
  do {
    const auto handlers = next->handlers();
    if (std::any_of(handlers.begin(), handlers.end(),
                    [level](const auto& handler) { return level >= handler->level(); })) {
      return true;
    }
  } while (next->propagate() && (next = next->parent()) != nullptr);
  return false;
}

void log_report(const Report& news) {
  const Logger& logger = get_logger(news.channel);
  const Level level = level_of(news.severity);
  // Whoever asks for a trace in the environment gets one, whatever the program logs.
  if (news.channel == "conc.trace" && !is_taken(logger, level)) {
    return conc::detail::write_line(news);
  }
  if (!logger.is_enabled_for(level)) return;
  logger.write(level, {}, news.message, conc::describe(news.exception));
}

}  // namespace

void hear_reports() noexcept {
  conc::detail::leave_out_of_trace(
      []() noexcept { return Active::anywhere() || Listening::here(); });
  if (const ReportHook before = set_report_hook(&log_report)) set_report_hook(before);
}

}  // namespace conc::logging::detail

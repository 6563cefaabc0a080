#include "reports.hpp"

#include <conc/detail/waiting.hpp>
#include <conc/hooks.hpp>
#include <conc/logging/logger.hpp>

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

void log_report(const Report& news) {
  const Logger& logger = get_logger(news.channel);
  const Level level = level_of(news.severity);
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

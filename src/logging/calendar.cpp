#include "calendar.hpp"

#include <conc/detail/machine.hpp>

#include <mutex>

namespace conc::logging::detail {
namespace {

constinit conc::detail::Mutex mutex;

}  // namespace

std::tm date_and_time(std::int64_t seconds, Zone zone) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  if (zone == Zone::utc) {
    static_cast<void>(gmtime_r(&time, &parts));
  } else {
    const std::lock_guard guard(mutex);
    static_cast<void>(localtime_r(&time, &parts));
  }
  return parts;
}

std::int64_t seconds_of(std::tm parts, Zone zone) {
  if (zone == Zone::utc) return timegm(&parts);
  parts.tm_isdst = -1;
  const std::lock_guard guard(mutex);
  return std::mktime(&parts);
}

std::size_t write_time(char* text, std::size_t size, const char* format, const std::tm& parts) {
  const std::lock_guard guard(mutex);
  return std::strftime(text, size, format, &parts);
}

void lock_calendar() { mutex.lock(); }
void unlock_calendar() { mutex.unlock(); }

}  // namespace conc::logging::detail

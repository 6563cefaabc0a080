// Calendar: seconds since 1970 as date and time, and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>

namespace conc::logging::detail {

enum class Zone : std::uint8_t { local, utc };

// The C library's functions for local time take a lock that a child of fork() finds taken for ever
// if another thread held it. These take one of logging's own around it, which is held over a fork.

// Zeros for a year beyond what an int holds.
[[nodiscard]] std::tm date_and_time(std::int64_t seconds, Zone zone);

// The other way. Parts may be out of range, "32 May" is 1 June; tm_isdst is not looked at.
[[nodiscard]] std::int64_t seconds_of(std::tm parts, Zone zone);

// strftime(): for some conversions it takes that lock too.
[[nodiscard]] std::size_t write_time(char* text, std::size_t size, const char* format,
                                     const std::tm& parts);

// Keep other threads out, and let them in again; for fork().
void lock_calendar();
void unlock_calendar();

}  // namespace conc::logging::detail

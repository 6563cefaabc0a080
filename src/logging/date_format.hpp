// DateFormat: a time as text, in local time.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

namespace conc::logging::detail {

// A compiled datefmt. What depends on the second alone is made once per second and thread.
class DateFormat {
 public:
  // For strftime(). When it is empty: "2024-05-31 18:07:59,042".
  // Throws std::invalid_argument when it holds a null character, or when strftime() makes more than
  // a mebibyte of it.
  explicit DateFormat(std::string_view datefmt);

  // The time as text, which is there until the thread calls this again, or in `room` if it is too
  // long for that.
  // Throws std::bad_alloc, and std::length_error for such a text that the constructor did not see.
  [[nodiscard]] std::string_view text(std::chrono::system_clock::time_point time,
                                      std::string& room) const;

 private:
  [[nodiscard]] std::string_view long_text(const std::tm& parts, std::string& room) const;

  std::string format_;  // with a mark behind it, see `mark`
  bool milliseconds_;
  std::uint64_t key_;  // no other format has it, unless it is the same
};

}  // namespace conc::logging::detail

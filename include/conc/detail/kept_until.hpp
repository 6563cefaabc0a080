// KeptUntil: an Until that may be stored.
#pragma once

#include <conc/until.hpp>

#include <concepts>
#include <stop_token>

namespace conc::detail {

// Made from what an Until is made from, and says the same, but holds the token by value.
class KeptUntil {
 public:
  KeptUntil(Until until)
      : time_(until), token_(until.token() != nullptr ? *until.token() : std::stop_token()) {}
  template <std::convertible_to<Until> From>
  KeptUntil(const From& from) : KeptUntil(Until(from)) {}
  template <optional_time Time>
  KeptUntil(Time time, const std::stop_token& token) : KeptUntil(Until(time, token)) {}

  [[nodiscard]] Until::Clock::time_point deadline() const noexcept { return time_.deadline(); }
  [[nodiscard]] const std::stop_token& token() const noexcept { return token_; }

 private:
  Until time_;  // its own token may be gone
  std::stop_token token_;
};

}  // namespace conc::detail

// Cursor: reads text from the left.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

namespace conc::logging::detail {

// At the end, peek() is '\0', which is in no pattern's grammar.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] std::size_t position() const { return at_; }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }
  char take() { return text_[at_++]; }
  bool skip(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  // Everything before the next character of `ends`, or before the end.
  std::string_view take_until(std::string_view ends) {
    const std::size_t end = std::min(text_.find_first_of(ends, at_), text_.size());
    return part(end);
  }
  // Everything up to the next character that is not in `set`.
  std::string_view take_while(std::string_view set) {
    const std::size_t end = std::min(text_.find_first_not_of(set, at_), text_.size());
    return part(end);
  }
  // 0 when no digit is ahead; a number above `most` counts as most + 1.
  std::size_t take_number(std::size_t most) {
    std::size_t number = 0;
    while ('0' <= peek() && peek() <= '9') {
      number = std::min(number * 10 + static_cast<std::size_t>(take() - '0'), most + 1);
    }
    return number;
  }

 private:
  std::string_view part(std::size_t end) {
    const std::size_t begin = std::exchange(at_, end);
    return text_.substr(begin, end - begin);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace conc::logging::detail

// LineBuffer: a string to format into, whose memory serves the thread's next record again.
#pragma once

#include <string>

namespace conc::logging::detail {

class LineBuffer {
 public:
  LineBuffer() noexcept;
  ~LineBuffer();

  LineBuffer(const LineBuffer&) = delete;
  LineBuffer& operator=(const LineBuffer&) = delete;

  // Empty at first.
  [[nodiscard]] std::string& text() noexcept { return *text_; }

 private:
  std::string* text_;  // the thread's, or own_ while that is in use, or gone
  std::string own_;
};

}  // namespace conc::logging::detail

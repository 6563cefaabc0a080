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
  [[nodiscard]] std::string& text() noexcept { return text_; }

 private:
  std::string text_;
};

}  // namespace conc::logging::detail

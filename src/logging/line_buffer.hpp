// LineBuffer: the room for the line of one record.
#pragma once

#include <conc/logging/formatter.hpp>
#include <conc/logging/record.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace conc::logging::detail {

// A line of moderate length is made in place. Longer ones, and those of formatters that are derived
// from Formatter, are made in a string whose memory serves the thread's next record again.
class LineBuffer {
 public:
  LineBuffer() noexcept {}  // leaves room_ as it is
  ~LineBuffer() {
    if (text_ != nullptr) give_back();
  }

  LineBuffer(const LineBuffer&) = delete;
  LineBuffer& operator=(const LineBuffer&) = delete;

  // The line with the terminator behind it; there as long as this is. To be called once.
  // Throws what the formatter throws.
  [[nodiscard]] std::string_view line(const Formatter& formatter, const LogRecord& record,
                                      std::string_view terminator);

 private:
  static constexpr std::size_t room_size = 512;

  void take() noexcept;
  void give_back() noexcept;

  std::string* text_ = nullptr;     // the thread's, or own_; null while none is needed
  std::optional<std::string> own_;  // when the thread's is in use, or gone
  char room_[room_size];
};

}  // namespace conc::logging::detail

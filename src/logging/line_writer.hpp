// LineWriter: appends many short texts to a string.
#pragma once

#include <conc/detail/short_copy.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace conc::logging::detail {

// Gathers them on the stack and gives them to the string in one piece, since a string looks at its
// capacity and calls memcpy() for each.
class LineWriter {
 public:
  explicit LineWriter(std::string& out) noexcept : out_(out) {}

  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  void put(std::string_view text) {
    if (text.size() > static_cast<std::size_t>(room_ + room_size - end_)) {
      finish();
      if (text.size() > room_size) {
        out_ += text;
        return;
      }
    }
    end_ = conc::detail::copy_short(text.data(), text.size(), end_);
  }

  // To be called at the end: what was put is in the string only then.
  void finish() {
    out_.append(room_, static_cast<std::size_t>(end_ - room_));
    end_ = room_;
  }

 private:
  static constexpr std::size_t room_size = 512;

  std::string& out_;
  char* end_ = room_;
  char room_[room_size];
};

}  // namespace conc::logging::detail

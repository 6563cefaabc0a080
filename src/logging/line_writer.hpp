// LineWriter: appends many short texts to a string.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/short_copy.hpp>

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace conc::logging::detail {

// Text of eight characters at most, of which copying takes one move.
struct ShortText {
  static constexpr std::size_t most = 8;

  ShortText() = default;
  explicit ShortText(std::string_view text) : size(text.size()) { text.copy(characters, most); }

  char characters[most] = {};
  std::size_t size = 0;
};

// Gathers them on the stack and gives them to the string in one piece, since a string looks at its
// capacity and calls memcpy() for each.
class LineWriter {
 public:
  explicit LineWriter(std::string& out) noexcept : out_(out) {}

  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  CONC_ALWAYS_INLINE void put(std::string_view text) {
    // So there is always room for a ShortText. One may have gone beyond room_size already, so what
    // is used is added up and not subtracted.
    const auto used = static_cast<std::size_t>(end_ - room_);
    if (used + text.size() > room_size) [[unlikely]] {
      pass_on(out_, {room_, used}, text);
      end_ = room_;
    } else {
      end_ = conc::detail::copy_short(text.data(), text.size(), end_);
    }
  }

  // At most one after each put().
  CONC_ALWAYS_INLINE void put(const ShortText& text) {
    std::memcpy(end_, text.characters, ShortText::most);
    end_ += text.size;
  }

  // To be called at the end: what was put is in the string only then.
  void finish() {
    out_.append(room_, static_cast<std::size_t>(end_ - room_));
    end_ = room_;
  }

 private:
  static constexpr std::size_t room_size = 512;

  // Without the object, so that end_ can stay in a register.
  CONC_COLD static void pass_on(std::string& out, std::string_view first, std::string_view second) {
    (out += first) += second;
  }

  std::string& out_;
  char* end_ = room_;
  char room_[room_size + ShortText::most];
};

}  // namespace conc::logging::detail

// Copying short text, for which a call of memcpy() takes longer than the copying.
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>

namespace conc::detail {

// Copies `size` characters to `to`, which is not a part of them, and returns the end of the copy.
inline char* copy_short(const char* from, std::size_t size, char* to) noexcept {
  // With a constant size memcpy() is one move. Two of them may overlap in the middle.
  const auto both_ends = [&]<std::size_t Half>(std::integral_constant<std::size_t, Half>) {
    std::memcpy(to, from, Half);
    std::memcpy(to + size - Half, from + size - Half, Half);
  };
  if (size >= 8) [[likely]] {
    if (size <= 16) [[likely]] {
      both_ends(std::integral_constant<std::size_t, 8>());
    } else if (size <= 32) [[likely]] {
      both_ends(std::integral_constant<std::size_t, 16>());
    } else {
      std::memcpy(to, from, size);
    }
  } else if (size >= 4) [[likely]] {
    both_ends(std::integral_constant<std::size_t, 4>());
  } else if (size >= 2) {
    both_ends(std::integral_constant<std::size_t, 2>());
  } else if (size == 1) {
    *to = *from;
  }
  return to + size;
}

}  // namespace conc::detail

// Text for the system, which takes what stands before a null character for the whole.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace conc::logging::detail {

// `what` is the subject of the error's sentence.
// Throws std::invalid_argument when there is a null character in the text; std::bad_alloc.
inline void refuse_null_character(std::string_view text, std::string_view what) {
  if (text.find('\0') == std::string_view::npos) return;
  throw std::invalid_argument(std::string(what) + " must not have a null character.");
}

}  // namespace conc::logging::detail

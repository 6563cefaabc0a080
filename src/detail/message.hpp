// The sentences of conc's errors.
#pragma once

#include <string>
#include <string_view>

namespace conc::detail {

// `conc::Lock "fork" was released while it was free.`
[[nodiscard]] inline std::string message(std::string_view type, const char* name,
                                         std::string_view said) {
  std::string text = "conc::";
  text += type;
  if (name != nullptr) {
    text += " \"";
    text += name;
    text += '"';
  }
  text += ' ';
  text += said;
  text += '.';
  return text;
}

}  // namespace conc::detail

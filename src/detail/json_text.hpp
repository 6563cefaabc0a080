// Text as JSON wants it.
#pragma once

#include <string>
#include <string_view>

namespace conc::detail {

// Appends the text with its quotation marks. Control characters are escaped, and what is not UTF-8
// becomes U+FFFD, so the result is valid whatever the text holds.
void append_json(std::string& to, std::string_view text);

}  // namespace conc::detail

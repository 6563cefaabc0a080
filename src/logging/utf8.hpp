// Text of unknown origin, made harmless.
#pragma once

#include <string>
#include <string_view>

namespace conc::logging::detail {

// Appends `text` between quotation marks as JSON has it: what
// is not UTF-8 becomes U+FFFD, control characters (those of Unicode too) and line separators become
// escapes. So it is one line, and a terminal does nothing about it.
void append_json_string(std::string_view text, std::string& out);

// Whether append_visible() would append the text as it is.
[[nodiscard]] bool is_visible(std::string_view text) noexcept;

// Appends `text` with control characters as "\n", "\x1b" and "\u009b", and bytes that are not UTF-8
// as "\xff". Backslashes stay as they are.
void append_visible(std::string_view text, std::string& out);

}  // namespace conc::logging::detail

// Which loggers have which level, as text says it.
#pragma once

#include <conc/logging/level.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conc::logging::detail {

struct LevelRule {
  std::string name;    // of a logger; with `below`, of those below it
  bool below = false;  // for the name "" of all but the root
  Level level = Level::notset;

  [[nodiscard]] bool applies_to(std::string_view logger) const noexcept;
};

// The next rule, cut off the text with the comma behind it; nothing at the end of the text.
// Throws std::invalid_argument that names the rule; it is cut off then as well.
[[nodiscard]] std::optional<LevelRule> next_rule(std::string_view& text);

}  // namespace conc::logging::detail

// Names of levels, and the text of CONC_LOG and set_levels().
#include <conc/logging/level.hpp>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "../../src/logging/level_rules.hpp"

namespace logging = conc::logging;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto level = logging::level_from_name(text)) {
    // What it is shown as leads back to it.
    if (logging::level_from_name(logging::level_name(*level)) != level) __builtin_trap();
  }

  // Not set_levels() itself, since the tree keeps every rule.
  std::string_view rest = text;
  for (;;) {
    const std::size_t before = rest.size();
    try {
      const auto rule = logging::detail::next_rule(rest);
      if (!rule) break;
      if (rule->level < logging::Level::notset) __builtin_trap();
      if (rule->name.find('*') != std::string::npos) __builtin_trap();
      static_cast<void>(rule->applies_to("a.b"));
      // A rule without a star is about the logger of its name, with one about those below.
      if (rule->applies_to(rule->name) == rule->below && !rule->name.empty()) __builtin_trap();
      if (rule->below && !rule->applies_to(rule->name.empty() ? "x" : rule->name + ".x")) {
        __builtin_trap();
      }
    } catch (const std::invalid_argument&) {
    }
    if (rest.size() >= before) __builtin_trap();  // it would never end
  }
  return 0;
}

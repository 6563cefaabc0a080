#include "level_rules.hpp"

#include <conc/logging/set_levels.hpp>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "tree.hpp"

namespace conc::logging {
namespace detail {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::optional<Level> level_of(std::string_view text) {
  int number = 0;
  const char* const end = text.data() + text.size();
  const std::from_chars_result read = std::from_chars(text.data(), end, number);
  if (read.ec == std::errc() && read.ptr == end) {
    return number >= 0 ? std::optional(static_cast<Level>(number)) : std::nullopt;
  }
  if (const auto level = level_from_name(text)) return level;
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return 'a' <= c && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return level_from_name(name);
}

}  // namespace

bool LevelRule::applies_to(std::string_view logger) const noexcept {
  if (!below) return logger == name;
  if (name.empty()) return logger != "root";
  return logger.size() > name.size() && logger.starts_with(name) && logger[name.size()] == '.';
}

std::optional<LevelRule> next_rule(std::string_view& text) {
  std::string_view entry;
  do {
    if (text.empty()) return std::nullopt;
    const std::size_t comma = text.find(',');
    entry = trimmed(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  } while (entry.empty());

  const auto fail = [&](const char* why) {
    throw std::invalid_argument("conc::logging::set_levels: the rule \"" + std::string(entry) +
                                "\" " + why + ".");
  };
  const std::size_t equals = entry.find('=');
  if (equals == std::string_view::npos) fail("has no \"=\"; write logger=level");
  std::string_view name = trimmed(entry.substr(0, equals));
  const auto level = level_of(trimmed(entry.substr(equals + 1)));
  if (!level) fail("names no level that there is");
  LevelRule rule;
  rule.level = *level;
  if (name == "*" || name.ends_with(".*")) {
    rule.below = true;
    name.remove_suffix(name.size() == 1 ? 1 : 2);
    if (name == "root") name = {};
  } else if (name.empty()) {
    name = "root";
  }
  if (name.find('*') != std::string_view::npos) fail("has a \"*\" that is not its last part");
  rule.name = name;
  return rule;
}

}  // namespace detail

void set_levels(std::string_view rules) {
  std::vector<detail::LevelRule> all;
  while (auto rule = detail::next_rule(rules)) all.push_back(*std::move(rule));
  detail::Tree::instance().add_rules(std::move(all));
}

}  // namespace conc::logging

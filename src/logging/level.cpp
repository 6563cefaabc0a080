#include <conc/logging/level.hpp>

#include "level_names.hpp"
#include "published.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>
#include <vector>

namespace conc::logging {
namespace {

struct LevelName {
  Level level;
  std::string name;
  bool operator==(const LevelName&) const = default;
};

struct StandardName {
  Level level;
  std::string_view name;
};

// A level is shown by the first of its names.
constexpr std::array standard_names{
    StandardName{Level::notset, "NOTSET"}, StandardName{Level::debug, "DEBUG"},
    StandardName{Level::info, "INFO"},     StandardName{Level::warning, "WARNING"},
    StandardName{Level::error, "ERROR"},   StandardName{Level::critical, "CRITICAL"},
    StandardName{Level::warning, "WARN"},  StandardName{Level::critical, "FATAL"},
};

// In the order they were added: the last one counts. Never destroyed, as loggers are not.
detail::Published<std::vector<LevelName>>& added_names() {
  static auto* const names = new detail::Published<std::vector<LevelName>>;
  return *names;
}

[[maybe_unused]] const bool at_load = (added_names(), true);

std::string_view standard_name(Level level) noexcept {
  for (const StandardName& one : standard_names) {
    if (one.level == level) return one.name;
  }
  return {};
}

}  // namespace

std::string_view detail::standard_level_name(Level level) noexcept {
  return added_names().empty() ? standard_name(level) : std::string_view();
}

void detail::renew_level_names_after_fork() noexcept { added_names().renew_after_fork(); }

std::string level_name(Level level) {
  if (const auto added = added_names().read()) {
    const auto found = std::find_if(added->rbegin(), added->rend(),
                                    [level](const LevelName& one) { return one.level == level; });
    if (found != added->rend()) return found->name;
  }
  if (const std::string_view name = standard_name(level); !name.empty()) return std::string(name);
  return "Level " + std::to_string(static_cast<int>(level));
}

void add_level_name(Level level, std::string name) {
  if (name.empty()) {
    throw std::invalid_argument("conc::logging::add_level_name: a level's name must not be empty.");
  }
  added_names().update([&](std::vector<LevelName>& names) {
    LevelName added{level, std::move(name)};
    std::erase(names, added);
    names.push_back(std::move(added));
    return true;
  });
}

std::optional<Level> level_from_name(std::string_view name) {
  if (const auto added = added_names().read()) {
    const auto found = std::find_if(added->rbegin(), added->rend(),
                                    [name](const LevelName& one) { return one.name == name; });
    if (found != added->rend()) return found->level;
  }
  for (const StandardName& one : standard_names) {
    if (one.name == name) return one.level;
  }
  return std::nullopt;
}

}  // namespace conc::logging

// Level: how much a record matters.
#pragma once

#include <conc/export.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace conc::logging {

// Python's numbers. Any other number is a level too: static_cast<Level>(25) lies between info and
// warning. The larger, the more urgent.
enum class Level : int {
  notset = 0,  // of a logger: as its parent; of a handler: everything
  debug = 10,
  info = 20,
  warning = 30,
  error = 40,
  critical = 50,
};

// The name of a level: "WARNING", or what add_level_name() made of it, or "Level 25".
// Throws std::bad_alloc.
// Cost: no allocation for names of up to 15 bytes.
// Python: logging.getLevelName(level)
[[nodiscard]] CONC_LOGGING_EXPORT std::string level_name(Level level);

// From now on `level` is shown as `name`, and level_from_name() knows `name`, in the whole program.
// Earlier names of the level still lead to it.
// Throws std::invalid_argument when `name` is empty; std::bad_alloc.
// Cost: copies the table of added names.
// Python: logging.addLevelName()
CONC_LOGGING_EXPORT void add_level_name(Level level, std::string name);

// The level of that name, in capitals as Python has it ("WARN" and "FATAL" are known as well), or
// nothing.
// Python: logging.getLevelName(name), which returns "Level X" for an unknown X.
[[nodiscard]] CONC_LOGGING_EXPORT std::optional<Level> level_from_name(std::string_view name);

}  // namespace conc::logging

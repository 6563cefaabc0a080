// basic_config: the whole configuration of a small program.
#pragma once

#include <conc/export.hpp>
#include <conc/logging/file_handler.hpp>
#include <conc/logging/formatter.hpp>
#include <conc/logging/handler.hpp>
#include <conc/logging/level.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace conc::logging {

// Where records go: to `handlers`, or to the file `filename`, or to `stream`, or else to stderr.
struct BasicConfig {
  // Of the root; left as it is by default, and when CONC_LOG in the environment sets it.
  std::optional<Level> level = {};
  // "%(levelname)s:%(name)s:%(message)s" by default, or the same in the other style.
  std::string format = {};
  std::string datefmt = {};  // as Formatter has it
  Style style = Style::percent;
  Controls controls = Controls::keep;
  std::filesystem::path filename = {};
  FileMode filemode = FileMode::append;
  std::ostream* stream = nullptr;  // must live as long as anything logs
  // They get the formatter, each unless it has one.
  std::vector<std::shared_ptr<Handler>> handlers = {};
  // Take the root's present handlers away first, and close them. They are flushed before a file is
  // truncated. One that cannot be flushed or closed says so on stderr and is replaced all the same.
  bool force = false;
};

// Gives the root its handlers, formatter and level:
//
//   logging::basic_config({.level = Level::info, .format = "%(asctime)s %(message)s"});
//
// Does nothing when the root has handlers, unless `force` is set. Of several threads that call it
// at once, one configures, and the others wait while it opens the file.
//
// Throws std::invalid_argument when `stream` comes with `filename`, or `handlers` with either, when
// a handler is null, and for a bad format; std::system_error when the file cannot be opened. The
// root is as it was then.
//
// Python: logging.basicConfig()
CONC_LOGGING_EXPORT void basic_config(const BasicConfig& config);

}  // namespace conc::logging

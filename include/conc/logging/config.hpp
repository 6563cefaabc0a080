// config: loggers, handlers, formatters and filters from a text of JSON. In conc::logging_config.
#pragma once

#include <conc/export.hpp>
#include <conc/logging/filter.hpp>
#include <conc/logging/formatter.hpp>
#include <conc/logging/handler.hpp>
#include <conc/logging/level.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace conc::logging {

namespace detail {
class ConfigNode;
}

// What is wrong with a configuration: all of it, each mistake with its place in the JSON,
//
//   handlers.file.level: "LOUD" is no level; there are ...
//   loggers["shop.db"].handlers[1]: there is no handler "fiel"
//
// what() has them on a line each.
class CONC_LOGGING_CONFIG_EXPORT ConfigError : public std::invalid_argument {
 public:
  // Throws std::bad_alloc.
  ConfigError(const std::string& where, std::vector<std::string> mistakes);
  ConfigError(const ConfigError&) noexcept;
  ConfigError& operator=(const ConfigError&) noexcept;
  ~ConfigError() override;

  [[nodiscard]] const std::vector<std::string>& mistakes() const noexcept { return *mistakes_; }

 private:
  std::shared_ptr<const std::vector<std::string>> mistakes_;
};

// Configures logging:
//
//   {
//     "version": 1,
//     "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(message)s"},
//                    "json": {"class": "JsonFormatter"}},
//     "filters": {"shop": {"name": "shop"}},
//     "handlers": {
//       "console": {"class": "StreamHandler", "level": "WARNING", "stream": "ext://sys.stderr"},
//       "file": {"class": "RotatingFileHandler", "formatter": "line", "filters": ["shop"],
//                "filename": "shop.log", "maxBytes": 1000000, "backupCount": 3}
//     },
//     "loggers": {"shop.db": {"level": "DEBUG", "handlers": ["file"], "propagate": false}},
//     "root": {"level": "INFO", "handlers": ["console", "file"]},
//     "disable_existing_loggers": false
//   }
//
// Keys and their meaning are Python's, but for those in brackets, which it does not have. A key
// with the value null is as if it were not there. Another key than these is a mistake.
//
//   formatters  class, format, datefmt, style "%" or "{", [controls "keep" or "escape"]
//   filters     name, or class and what the class knows
//   handlers    class, level, formatter, filters, and by class
//     StreamHandler             stream, [colour "automatic", "always", "never"]
//     FileHandler, WatchedFileHandler  filename, mode "a" or "w", encoding "utf-8", delay,
//                               [flush "warnings", "every_record"]
//     RotatingFileHandler       the same with maxBytes and backupCount, without "w"
//     TimedRotatingFileHandler  the same with when, interval, backupCount and utc, without mode
//     MemoryHandler             capacity, flushLevel, target, flushOnClose
//     QueueHandler              queue {"maxsize": 1000}, handlers, respect_handler_level, listener,
//                               [overflow "block", "drop_newest", "drop_oldest"]
//     SysLogHandler             address "/dev/log" or ["host", 514], facility, [ident, append_nul]
//     SocketHandler             host, port
//     NullHandler
//   loggers     by name: level, handlers, filters, propagate
//   root        the same without propagate
//   incremental, disable_existing_loggers
//
// A class is named as here or as in Python, "logging.handlers.MemoryHandler", or is one that the
// program gave a name to; for formatters there are Formatter and JsonFormatter. A level is a name
// or a number. Handlers that name others may stand before them. A QueueHandler with handlers has a
// QueueListener, which runs until a later configuration has taken the handler away.
//
// A logger that is named gets these handlers in place of those it had, and is enabled. What it is
// not given of level and propagate stays as it is. It keeps filters, but for those of an earlier
// configuration. Other loggers: those below one that is named lose their handlers and levels and
// propagate; the rest is disabled, unless disable_existing_loggers says otherwise; it is true when
// it is not there. The library's own, "conc" and those below it, stay as they are even so: what
// conc reports of threads and deadlocks is not silenced by the way. A logger that is named exists
// from then on, so whoever asks for it later finds it configured. Handlers that no logger has any
// more are closed.
//
// With "incremental": true nothing is made or taken away. Only the levels of handlers, by the names
// of the configuration before, and the levels and propagate of loggers change, and loggers that are
// named are enabled; other keys of handlers, formatters and filters are not looked at.
//
// CONC_LOG in the environment has the last word on levels.
//
// Everything is made, and every file opened, before any file is truncated or any logger changes. So
// when there are mistakes all loggers and handlers are as they were, and no file is truncated or
// left behind; but a new file stays that another handler has opened meanwhile. Threads that log
// meanwhile see each logger change by itself.
//
// Throws ConfigError; std::bad_alloc, and when that comes while loggers change, some have changed.
// Blocks while a handler that is replaced is closed; and before a file is truncated, while all
// present handlers are flushed, so that what they hold back for the file is not in the new one.
// Python: logging.config.dictConfig(json.loads(text)), without cfg:// and the key "." of handlers
CONC_LOGGING_CONFIG_EXPORT void dict_config(std::string_view json);

// The same with the text of a file. Relative file names in it count from the current directory.
// Throws as dict_config(), with the file's name in what(); a file that cannot be read is a mistake
// as well.
CONC_LOGGING_CONFIG_EXPORT void config_file(const std::filesystem::path& path);

// An object of the JSON, shown to the function that makes a handler, formatter or filter of it.
// Each call names a key that may be there; keys that no call has named are mistakes, and so are
// values of another kind. After a mistake calls return nothing, and the function should return
// null: it is told once by has_mistakes(), when it has asked for everything.
class CONC_LOGGING_CONFIG_EXPORT ConfigSection {
 public:
  explicit ConfigSection(detail::ConfigNode& node) noexcept : node_(&node) {}

  [[nodiscard]] std::optional<std::string> text(std::string_view key);
  [[nodiscard]] std::vector<std::string> texts(std::string_view key);
  [[nodiscard]] std::optional<bool> flag(std::string_view key);
  [[nodiscard]] std::optional<std::int64_t> number(
      std::string_view key, std::int64_t least = std::numeric_limits<std::int64_t>::min(),
      std::int64_t most = std::numeric_limits<std::int64_t>::max());
  // Which of the words it is, from 0.
  [[nodiscard]] std::optional<std::size_t> choice(std::string_view key,
                                                  std::initializer_list<std::string_view> words);
  [[nodiscard]] std::optional<Level> level(std::string_view key);
  // Other handlers of the configuration, by their names there.
  [[nodiscard]] std::shared_ptr<Handler> handler(std::string_view key);
  [[nodiscard]] std::vector<std::shared_ptr<Handler>> handlers(std::string_view key);
  // An object in this one.
  [[nodiscard]] std::optional<ConfigSection> section(std::string_view key);
  // Any value, as JSON.
  [[nodiscard]] std::optional<std::string> json(std::string_view key);

  // Says what is wrong with the value of `key`, or with the object if that is "".
  void mistake(std::string_view key, std::string_view why);
  [[nodiscard]] bool has_mistakes() const noexcept;

 private:
  friend class detail::ConfigNode;

  detail::ConfigNode* node_;
};

using HandlerFactory = std::function<std::shared_ptr<Handler>(ConfigSection&)>;
using FormatterFactory = std::function<std::shared_ptr<const Formatter>(ConfigSection&)>;
using FilterFactory = std::function<std::shared_ptr<const Filter>(ConfigSection&)>;

// From now on configurations may name the class `name`, and `make` makes one of what stands beside
// "class". The keys that all handlers have are dealt with already. What it throws is a mistake with
// the place of the object; so is null, unless it has named mistakes itself. It is called with no
// lock held, before it is known whether the configuration is right. A class of this name that was
// there, conc's own as well, is replaced. `make` is kept until the process ends.
//
//   logging::add_handler_class("shop.Pager", [](logging::ConfigSection& section) {
//     const auto number = section.text("number");
//     return std::make_shared<Pager>(number.value_or("112"));
//   });
//
// Throws std::invalid_argument when `name` or `make` is empty; std::bad_alloc.
// Python: a class's dotted name, or the key "()"
CONC_LOGGING_CONFIG_EXPORT void add_handler_class(std::string name, HandlerFactory make);
CONC_LOGGING_CONFIG_EXPORT void add_formatter_class(std::string name, FormatterFactory make);
CONC_LOGGING_CONFIG_EXPORT void add_filter_class(std::string name, FilterFactory make);

}  // namespace conc::logging

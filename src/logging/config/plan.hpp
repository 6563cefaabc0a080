// What a configuration asks for, with all that it names made already.
#pragma once

#include <conc/logging/filter.hpp>
#include <conc/logging/handler.hpp>
#include <conc/logging/level.hpp>
#include <conc/logging/queue_listener.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "json_text.hpp"

namespace conc::logging::detail {

struct LoggerPlan {
  std::string name;
  std::optional<Level> level;
  std::optional<bool> propagate;
  std::vector<std::shared_ptr<Handler>> handlers;
  std::vector<std::shared_ptr<const Filter>> filters;
};

// A listener, and the handler whose queue it empties, which stands at that place of the JSON.
struct Ear {
  std::string place;
  std::weak_ptr<Handler> handler;
  std::unique_ptr<QueueListener> listener;
};

using HandlersByName = std::map<std::string, std::weak_ptr<Handler>>;

struct Plan {
  bool incremental = false;
  bool disable_existing = true;
  std::map<std::string, std::shared_ptr<Handler>> handlers;        // those that are made
  std::vector<std::pair<std::shared_ptr<Handler>, Level>> levels;  // of those that were there
  std::vector<LoggerPlan> loggers;                                 // the root last
  std::vector<Ear> ears;                                           // started
};

// Makes everything; listeners are started and files are opened when there is no mistake. `present`
// are the handlers of the configuration before.
// Throws std::bad_alloc.
[[nodiscard]] Plan make_plan(const Json& config, const HandlersByName& present, Mistakes& mistakes);

// The handlers of the configuration that was applied last.
[[nodiscard]] HandlersByName present_handlers();

// Has all handlers of loggers and of the configuration before write what they hold back. What they
// throw is written to stderr.
// Throws std::bad_alloc.
void flush_present_handlers();

// Changes the loggers.
// Throws std::bad_alloc.
void apply(Plan plan);

}  // namespace conc::logging::detail

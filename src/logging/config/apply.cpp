#include <conc/detail/machine.hpp>
#include <conc/hooks.hpp>
#include <conc/logging/logger.hpp>

#include <algorithm>
#include <exception>
#include <iterator>
#include <mutex>
#include <set>
#include <string_view>
#include <utility>

#include "../complaint.hpp"
#include "../configuring.hpp"
#include "../tree.hpp"
#include "plan.hpp"

namespace conc::logging::detail {
namespace {

using Handlers = std::vector<std::shared_ptr<Handler>>;
using Filters = std::vector<std::pair<Logger*, std::shared_ptr<const Filter>>>;

// What configurations before this one left. Guarded by `configuring`.
struct Left {
  HandlersByName handlers;
  Filters filters;
  std::vector<Ear> ears;
};

// Never destroyed: listeners work until the process ends.
Left& left() {
  static Left* const made = new Left;
  return *made;
}

[[maybe_unused]] const bool at_load = (left(), true);

void add_with_all_below(Logger& logger, std::vector<Logger*>& all) {
  all.push_back(&logger);
  for (Logger* const child : logger.children()) add_with_all_below(*child, all);
}

// The root first.
std::vector<Logger*> all_loggers() {
  std::vector<Logger*> all;
  add_with_all_below(get_logger(), all);
  return all;
}

bool is_below(std::string_view name, std::string_view ancestor) {
  return name.size() > ancestor.size() && name.starts_with(ancestor) &&
         name[ancestor.size()] == '.';
}

// conc's own: what it reports about threads and deadlocks is not silenced by the way.
bool is_of_the_library(std::string_view name) {
  constexpr std::string_view own = "conc";
  return name == own || is_below(name, own);
}

void replace_handlers(Logger& logger, const Handlers& handlers, Handlers& taken) {
  Handlers old = HandlersOf::replace(logger, handlers);
  std::move(old.begin(), old.end(), std::back_inserter(taken));
}

// `done` is what `act` does: "closed".
void each(const Handlers& handlers, void (Handler::*act)(), const char* done) {
  for (const auto& handler : handlers) {
    try {
      ((*handler).*act)();
    } catch (...) {
      const std::string why = describe(std::current_exception());
      complain({handler->description(), " could not be ", done, ": ", why});
    }
  }
}

// What it lets go it keeps until it is destroyed, since handlers and filters that die are user
// code.
class Change {
 public:
  explicit Change(Plan& plan) : plan_(plan) {}

  // `configuring` is held.
  void run() {
    const std::vector<Logger*> existing = all_loggers();
    for (const LoggerPlan& one : plan_.loggers) named_.push_back(&get_logger(one.name));
    // Nothing but want of memory stops it from here on.
    for (const auto& [handler, level] : plan_.levels) handler->set_level(level);
    if (!plan_.incremental) {
      drop_filters();
      for (Logger* const logger : existing) leave(*logger);
    }
    for (std::size_t i = 0; i != named_.size(); ++i) set(*named_[i], plan_.loggers[i]);
    apply_environment();
    if (!plan_.incremental) {
      left().handlers = {plan_.handlers.begin(), plan_.handlers.end()};
      std::move(plan_.ears.begin(), plan_.ears.end(), std::back_inserter(left().ears));
    }
    find_used();
  }

  // Closes the handlers that no logger has any more.
  void close_unused() {
    // Each once, though several loggers may have had it.
    Handlers unused;
    std::copy_if(taken_.begin(), taken_.end(), std::back_inserter(unused),
                 [&](const auto& handler) { return used_.insert(handler).second; });
    each(unused, &Handler::close, "closed");
  }

 private:
  void drop_filters() {
    for (const auto& [logger, filter] : left().filters) logger->remove_filter(filter);
    dropped_filters_.swap(left().filters);
  }

  // A logger that the configuration may not name.
  void leave(Logger& logger) {
    if (logger.parent() == nullptr || is_named(logger)) return;
    const bool below = std::any_of(named_.begin(), named_.end(), [&](const Logger* one) {
      // All are below the root, whose name is not part of theirs: that says nothing.
      return one->parent() != nullptr && is_below(logger.name(), one->name());
    });
    if (below) {
      logger.set_level(Level::notset);
      replace_handlers(logger, {}, taken_);
      logger.set_propagate(true);
    } else if (!is_of_the_library(logger.name())) {
      logger.set_disabled(plan_.disable_existing);
    }
  }

  [[nodiscard]] bool is_named(const Logger& logger) const {
    return std::find(named_.begin(), named_.end(), &logger) != named_.end();
  }

  void set(Logger& logger, const LoggerPlan& plan) {
    if (plan.level) logger.set_level(*plan.level);
    if (plan.propagate) logger.set_propagate(*plan.propagate);
    logger.set_disabled(false);
    if (plan_.incremental) return;
    replace_handlers(logger, plan.handlers, taken_);
    for (const auto& filter : plan.filters) {
      left().filters.emplace_back(&logger, filter);
      logger.add_filter(filter);
    }
  }

  void find_used() {
    for (Logger* const logger : all_loggers()) {
      for (auto& handler : logger->handlers()) used_.insert(std::move(handler));
    }
    for (const auto& [_, handler] : plan_.handlers) used_.insert(handler);
  }

  Plan& plan_;
  std::vector<Logger*> named_;  // in the order of the plan
  Handlers taken_;
  std::set<std::shared_ptr<Handler>> used_;
  Filters dropped_filters_;
};

// Stops the listeners whose handlers are gone.
void stop_idle_ears() {
  std::vector<Ear> idle;
  {
    const std::lock_guard guard(configuring);
    auto& ears = left().ears;
    const auto used = std::stable_partition(ears.begin(), ears.end(),
                                            [](const Ear& ear) { return !ear.handler.expired(); });
    idle.assign(std::move_iterator(used), std::move_iterator(ears.end()));
    ears.erase(used, ears.end());
  }
  for (Ear& ear : idle) {
    try {
      ear.listener->stop();
    } catch (...) {
      // In its own thread: the next configuration stops it.
      const std::lock_guard guard(configuring);
      left().ears.push_back(std::move(ear));
    }
  }
}

}  // namespace

HandlersByName present_handlers() {
  const std::lock_guard guard(configuring);
  return left().handlers;
}

void flush_present_handlers() {
  // Those of loggers first: what they pass on, through a queue say, is with the others then.
  Handlers all;
  for (const Logger* const logger : all_loggers()) {
    const Handlers own = logger->handlers();
    all.insert(all.end(), own.begin(), own.end());
  }
  for (const auto& [_, present] : present_handlers()) {
    if (auto handler = present.lock()) all.push_back(std::move(handler));
  }
  each(all, &Handler::flush, "flushed");
}

void apply(Plan plan) {
  {
    Change change(plan);
    {
      const std::lock_guard guard(configuring);
      change.run();
    }
    // Without the lock, since what closes or dies here may be user code.
    change.close_unused();
  }
  plan = {};
  stop_idle_ears();
}

}  // namespace conc::logging::detail

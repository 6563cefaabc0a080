// Tree: all loggers by name.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/machine.hpp>
#include <conc/logging/logger.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "level_rules.hpp"
#include "published.hpp"

namespace conc::logging {

// The parts of a logger that calls below its level do not touch.
struct Logger::State {
  // Written by the tree alone, under its lock.
  conc::detail::Atomic<Logger*> parent{nullptr};
  conc::detail::Atomic<int> level{static_cast<int>(Level::notset)};
  conc::detail::Atomic<bool> disabled{false};
  Level effective = Level::notset;  // only looked at under the lock

  conc::detail::Atomic<bool> propagate{true};
  detail::Published<std::vector<std::shared_ptr<Handler>>> handlers;
  detail::Published<std::vector<std::shared_ptr<const Filter>>> filters;
};

namespace detail {

// Made at the first use of logging and never destroyed, nor is any logger; the static pointer keeps
// them reachable. Its lock is held for looking up and relinking alone, never while a handler,
// filter or formatter runs.
//
// Loggers are kept in the order of their names. All that lie below "a" have names from "a." up to,
// but not including, "a/", the slash being the character after the dot; and a parent stands before
// its children. So a subtree is a range, and one pass over it, from left to right, finds every
// parent done already.
class Tree {
 public:
  static Tree& instance() {
    Tree* const tree = made_.load(std::memory_order_acquire);
    return tree != nullptr ? *tree : make();
  }

  [[nodiscard]] Logger& root() noexcept { return root_; }

  // Throws std::bad_alloc.
  [[nodiscard]] Logger& get(std::string_view name);
  [[nodiscard]] std::vector<Logger*> children(const Logger& parent);

  void set_level(Logger& logger, Level level);
  void set_disabled(Logger& logger, bool disabled);
  void set_floor(Level floor);

  // Sets the levels that the rules say, now and of loggers that are made later.
  void add_rules(std::vector<LevelRule> rules);
  // Sets the levels that the environment says, of all loggers that there are.
  void apply_environment() noexcept;
  // Whether the environment set the root's level.
  [[nodiscard]] bool root_level_is_given() const noexcept { return root_level_is_given_; }

  // Keep other threads out, and let them in again; for fork().
  static void lock() { mutex_.lock(); }
  static void unlock() { mutex_.unlock(); }
  // In the child, with the lock held.
  static void renew_after_fork() noexcept;

  [[nodiscard]] std::chrono::system_clock::time_point start() const noexcept { return start_; }

 private:
  using Loggers = std::map<std::string_view, std::unique_ptr<Logger>>;  // keys: Logger::name_

  CONC_COLD static Tree& make();
  // With the lock held.
  Tree();

  void read_environment();

  static void store_level(Logger& logger, Level level) noexcept;

  // Sets the logger's own level by the rules, if any is about it.
  void apply_rules(Logger& logger) noexcept;

  [[nodiscard]] Logger& nearest_ancestor(std::string_view name);
  // The loggers below, of any depth.
  struct Range {
    Loggers::iterator first, last;
    [[nodiscard]] Loggers::iterator begin() const { return first; }
    [[nodiscard]] Loggers::iterator end() const { return last; }
  };
  // Throws std::bad_alloc.
  [[nodiscard]] Range below(const Logger& logger);

  // The parent's effective level must be right.
  void update(Logger& logger) noexcept;

  const std::chrono::system_clock::time_point start_;
  bool root_level_is_given_ = false;  // constant from the beginning
  static constinit conc::detail::Mutex mutex_;
  static constinit conc::detail::Atomic<Tree*> made_;  // null until the first use
  Logger root_;
  // Guarded by mutex_.
  Loggers loggers_;                       // but the root
  std::vector<LevelRule> rules_;          // those of the environment first
  std::size_t rules_of_environment_ = 0;  // how many; constant from the beginning
  int floor_ = static_cast<int>(Level::notset);
};

// Gives the environment the last word over a configuration. For conc::logging_config, to which the
// tree does not show.
CONC_LOGGING_EXPORT void apply_environment() noexcept;

}  // namespace detail
}  // namespace conc::logging

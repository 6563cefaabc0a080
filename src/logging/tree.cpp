#include "tree.hpp"

#include <algorithm>
#include <limits>
#include <mutex>
#include <string>
#include <utility>

#include "reports.hpp"

namespace conc::logging::detail {
namespace {

constexpr std::string_view root_name = "root";

}  // namespace

Tree& Tree::instance() {
  static Tree* const tree = new Tree;
  return *tree;
}

Tree::Tree() : start_(conc::detail::WallClock::now()), root_(std::string(root_name)) {
  root_.state_->level.store(static_cast<int>(Level::warning), std::memory_order_relaxed);
  update(root_);
  hear_reports();
}

Logger& Tree::get(std::string_view name) {
  if (name.empty() || name == root_name) return root_;
  const std::lock_guard guard(mutex_);
  if (const auto found = loggers_.find(name); found != loggers_.end()) return *found->second;

  std::unique_ptr<Logger> made(new Logger(std::string(name)));
  Logger& logger = *made;
  Logger& parent = nearest_ancestor(name);
  const Range lower = below(logger);
  loggers_.emplace(logger.name(), std::move(made));
  // Nothing throws from here on.
  logger.state_->parent.store(&parent, std::memory_order_release);
  update(logger);
  // It comes between its parent and those below it. Their levels stay as they are: it has none.
  for (const auto& [_, one] : lower) {
    auto& above = one->state_->parent;
    if (above.load(std::memory_order_relaxed) == &parent) {
      above.store(&logger, std::memory_order_release);
    }
  }
  return logger;
}

std::vector<Logger*> Tree::children(const Logger& parent) {
  std::vector<Logger*> children;
  const std::lock_guard guard(mutex_);
  for (const auto& [_, one] : below(parent)) {
    if (one->parent() == &parent) children.push_back(one.get());
  }
  return children;
}

void Tree::set_level(Logger& logger, Level level) {
  const std::lock_guard guard(mutex_);
  const Range lower = below(logger);
  logger.state_->level.store(static_cast<int>(level), std::memory_order_relaxed);
  update(logger);
  for (const auto& [_, one] : lower) update(*one);
}

void Tree::set_disabled(Logger& logger, bool disabled) {
  const std::lock_guard guard(mutex_);
  logger.state_->disabled.store(disabled, std::memory_order_relaxed);
  update(logger);
}

void Tree::set_floor(Level floor) {
  const std::lock_guard guard(mutex_);
  floor_ = static_cast<int>(floor);
  update(root_);
  for (const auto& [_, one] : loggers_) update(*one);
}

Logger& Tree::nearest_ancestor(std::string_view name) {
  for (std::size_t dot = name.rfind('.'); dot != std::string_view::npos; dot = name.rfind('.')) {
    name = name.substr(0, dot);
    if (const auto found = loggers_.find(name); found != loggers_.end()) return *found->second;
  }
  return root_;
}

Tree::Range Tree::below(const Logger& logger) {
  if (&logger == &root_) return {loggers_.begin(), loggers_.end()};
  return {loggers_.lower_bound(logger.name() + '.'), loggers_.lower_bound(logger.name() + '/')};
}

void Tree::update(Logger& logger) noexcept {
  Logger::State& state = *logger.state_;
  const Logger* const parent = state.parent.load(std::memory_order_relaxed);
  const auto own = static_cast<Level>(state.level.load(std::memory_order_relaxed));
  state.effective = own == Level::notset && parent != nullptr ? parent->state_->effective : own;

  constexpr int never = std::numeric_limits<int>::max();
  const int above_floor = floor_ == never ? never : floor_ + 1;
  const int threshold = state.disabled.load(std::memory_order_relaxed)
                            ? never
                            : std::max(static_cast<int>(state.effective), above_floor);
  logger.threshold_.store(threshold, std::memory_order_relaxed);
}

}  // namespace conc::logging::detail

#include "tree.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "complaint.hpp"
#include "reports.hpp"

namespace conc::logging::detail {
namespace {

constexpr std::string_view root_name = "root";

}  // namespace

constinit conc::detail::Mutex Tree::mutex_;
constinit conc::detail::Atomic<Tree*> Tree::made_{nullptr};

// Under the lock, which is held while the process forks: in the child it is made or is not.
Tree& Tree::make() {
  const std::lock_guard guard(mutex_);
  Tree* tree = made_.load(std::memory_order_relaxed);
  if (tree == nullptr) {
    tree = new Tree;
    made_.store(tree, std::memory_order_release);
  }
  return *tree;
}

Tree::Tree() : start_(conc::detail::WallClock::now()), root_(std::string(root_name)) {
  root_.state_->level.store(static_cast<int>(Level::warning), std::memory_order_relaxed);
  read_environment();
  update(root_);
  hear_reports();
}

void Tree::read_environment() {
  const char* const text = std::getenv("CONC_LOG");
  if (text == nullptr) return;
  for (std::string_view rest = text;;) {
    try {
      auto rule = next_rule(rest);
      if (!rule) break;
      rules_.push_back(*std::move(rule));
    } catch (const std::invalid_argument& wrong) {
      complain({"in CONC_LOG: ", wrong.what()});
    }
  }
  rules_of_environment_ = rules_.size();
  root_level_is_given_ = std::any_of(rules_.begin(), rules_.end(), [](const LevelRule& rule) {
    return rule.applies_to(root_name);
  });
  apply_rules(root_);
}

void Tree::add_rules(std::vector<LevelRule> rules) {
  const std::lock_guard guard(mutex_);
  rules_.reserve(rules_.size() + rules.size());
  // Nothing throws from here on. Only what the new rules are about changes: a program may have set
  // the levels of others since.
  const auto set = [&](Logger& logger) {
    for (const LevelRule& rule : rules) {
      if (rule.applies_to(logger.name())) store_level(logger, rule.level);
    }
    update(logger);
  };
  set(root_);
  for (const auto& [_, one] : loggers_) set(*one);
  // A rule in whose place one comes is dropped, so that the list does not grow for ever.
  for (LevelRule& rule : rules) {
    const auto first = rules_.begin() + static_cast<std::ptrdiff_t>(rules_of_environment_);
    const auto last = std::remove_if(first, rules_.end(), [&](const LevelRule& old) {
      return old.name == rule.name && old.below == rule.below;
    });
    rules_.erase(last, rules_.end());
    rules_.push_back(std::move(rule));
  }
}

void Tree::apply_environment() noexcept {
  const std::lock_guard guard(mutex_);
  const auto set = [&](Logger& logger) {
    for (std::size_t i = 0; i != rules_of_environment_; ++i) {
      if (rules_[i].applies_to(logger.name())) store_level(logger, rules_[i].level);
    }
    update(logger);
  };
  set(root_);
  for (const auto& [_, one] : loggers_) set(*one);
}

void Tree::apply_rules(Logger& logger) noexcept {
  for (const LevelRule& rule : rules_) {
    if (rule.applies_to(logger.name())) store_level(logger, rule.level);
  }
}

void Tree::store_level(Logger& logger, Level level) noexcept {
  logger.state_->level.store(static_cast<int>(level), std::memory_order_relaxed);
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
  apply_rules(logger);
  update(logger);
  // It comes between its parent and those below it, whose levels change if it has one of its own.
  for (const auto& [_, one] : lower) {
    auto& above = one->state_->parent;
    if (above.load(std::memory_order_relaxed) == &parent) {
      above.store(&logger, std::memory_order_release);
    }
    update(*one);
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
  store_level(logger, level);
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

void Tree::renew_after_fork() noexcept {
  Tree* const tree = made_.load(std::memory_order_relaxed);
  if (tree == nullptr) return;
  const auto renew = [](Logger& logger) {
    logger.state_->handlers.renew_after_fork();
    logger.state_->filters.renew_after_fork();
  };
  renew(tree->root_);
  for (const auto& [_, one] : tree->loggers_) renew(*one);
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

void apply_environment() noexcept { Tree::instance().apply_environment(); }

}  // namespace conc::logging::detail

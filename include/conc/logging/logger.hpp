// Logger: where the program says what happens. A tree by dotted names.
#pragma once

#include <conc/detail/machine.hpp>
#include <conc/export.hpp>
#include <conc/logging/filter.hpp>
#include <conc/logging/format_string.hpp>
#include <conc/logging/handler.hpp>
#include <conc/logging/level.hpp>
#include <conc/logging/log_call.hpp>
#include <conc/logging/record.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace conc::logging {

class Logger;

namespace detail {
class Draft;
class Tree;
struct HandlersOf;
}  // namespace detail

// The logger of that name, always the same object, made when it is asked for the first time. It is
// never destroyed, so it may be used in constructors and destructors of globals. "" and "root" are
// the root of the tree.
//
// The parent of "a.b.c" is "a.b", or "a" if there is no "a.b" yet, or the root; it changes when a
// nearer one is made.
//
// Throws std::bad_alloc.
// Cost: a lock and a search by name: keep the reference.
// Python: logging.getLogger()
CONC_LOGGING_EXPORT Logger& get_logger(std::string_view name = {});

// A record logged here goes to the handlers of this logger and, as long as each has propagate()
// set, of all its ancestors, to each handler whose own level allows it. The ancestors' own levels
// and filters do not matter. If there is no handler at all on the way, records from
// Level::warning up go to stderr, as the bare message.
//
// Every member may be called by any thread at any time. Handlers run in the calling thread, one
// after another, while no lock of the tree is held. Logging never throws: what goes wrong in a
// handler, while formatting, or in a logger's filter is reported on stderr. Of what could not be
// formatted one message in a second is named, whichever calls they are, and of the records that
// loggers lost one as well; how many others there were is said with the next one, by shutdown(), or
// at the program's exit.
//
// Python: logging.Logger
class CONC_LOGGING_EXPORT Logger {
 public:
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  // Log a message. The arguments are formatted only when the level is enabled; what they refer to
  // is not needed after the call. Block as the handlers do.
  // Cost: when the level is not enabled, one relaxed load and a comparison.
  // Python: the methods of these names; the arguments are merged by fmt's rules, not with %.
  template <class... Args>
  void debug(FormatString<std::type_identity_t<Args>...> format, Args&&... args) const {
    log(Level::debug, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void info(FormatString<std::type_identity_t<Args>...> format, Args&&... args) const {
    log(Level::info, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void warning(FormatString<std::type_identity_t<Args>...> format, Args&&... args) const {
    log(Level::warning, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void error(FormatString<std::type_identity_t<Args>...> format, Args&&... args) const {
    log(Level::error, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void critical(FormatString<std::type_identity_t<Args>...> format, Args&&... args) const {
    log(Level::critical, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void log(Level level, FormatString<std::type_identity_t<Args>...> format, Args&&... args) const {
    if (is_enabled_for(level)) [[unlikely]] {
      detail::log_call(*this, {level, false, format.message(), format.site()}, args...);
    }
  }

  // Logs with Level::error and adds the exception that is being handled: its type, what() and the
  // exceptions nested in it. For catch blocks; elsewhere it is error().
  // Python: exception()
  template <class... Args>
  void exception(FormatString<std::type_identity_t<Args>...> format, Args&&... args) const {
    if (is_enabled_for(Level::error)) [[unlikely]] {
      detail::log_call(*this, {Level::error, true, format.message(), format.site()}, args...);
    }
  }

  // Logs finished text, with the text of an exception or "", fields, and the time of the event. For
  // bridges from other libraries. Whatever the level, unless the logger is disabled: who goes by
  // levels asks is_enabled_for() first.
  void write(Level level, const CallSite& site, std::string_view message,
             std::string_view exception = {}, std::span<const Field> fields = {},
             std::chrono::system_clock::time_point created =
                 conc::detail::WallClock::now()) const noexcept;

  // Takes a record that was made elsewhere through this logger's filters to the handlers, whatever
  // its level, unless the logger is disabled.
  // Python: handle()
  void handle(const LogRecord& record) const noexcept;

  // Whether a record of this level would be made: it is not below the effective level, it is above
  // the floor that disable() sets, and the logger is not disabled.
  // Cost: one relaxed load and a comparison.
  // Python: isEnabledFor()
  [[nodiscard]] bool is_enabled_for(Level level) const noexcept {
    return static_cast<int>(level) >= threshold_.load(std::memory_order_relaxed);
  }

  // The logger's own level; Level::notset, as at first, means the parent's. The root begins with
  // Level::warning.
  // Cost: visits all loggers below this one.
  // Python: setLevel()
  void set_level(Level level);
  [[nodiscard]] Level level() const noexcept;

  // The own level, or that of the nearest ancestor that has one.
  // Python: getEffectiveLevel()
  [[nodiscard]] Level effective_level() const noexcept;

  // "root" for the root.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  // The nearest ancestor that exists, or null for the root.
  // Cost: one atomic load.
  [[nodiscard]] Logger* parent() const noexcept;

  // The loggers whose parent this is, ordered by name.
  // Throws std::bad_alloc.
  // Python: getChildren()
  [[nodiscard]] std::vector<Logger*> children() const;

  // The logger `suffix` below this one: get_logger("a").child("b.c") is get_logger("a.b.c").
  // Throws std::bad_alloc.
  // Python: getChild()
  Logger& child(std::string_view suffix) const;

  // Whether records go on to the ancestors' handlers: true at first.
  void set_propagate(bool propagate) noexcept;
  [[nodiscard]] bool propagate() const noexcept;

  // A disabled logger logs nothing; those below it do.
  void set_disabled(bool disabled);
  [[nodiscard]] bool disabled() const noexcept;

  // Records go to `handler` from now on; the same handler twice is once.
  // Throws std::invalid_argument for null; std::bad_alloc.
  // Python: addHandler()
  void add_handler(std::shared_ptr<Handler> handler);

  // Records logged from now on do not go to `handler`; a thread that is logging right now may still
  // be in it. Nothing happens when it is not there. The handler is not closed.
  // Throws std::bad_alloc.
  // Python: removeHandler()
  void remove_handler(const std::shared_ptr<Handler>& handler);

  // The logger's own handlers in the order they were added.
  // Throws std::bad_alloc.
  [[nodiscard]] std::vector<std::shared_ptr<Handler>> handlers() const;

  // Whether a record would find a handler: here, or at an ancestor it propagates to.
  // Python: hasHandlers()
  [[nodiscard]] bool has_handlers() const noexcept;

  // A record logged on this logger must pass every filter; the same filter twice is once.
  // Throws std::invalid_argument for null; std::bad_alloc.
  void add_filter(std::shared_ptr<const Filter> filter);
  // Nothing happens when the filter is not there. Throws std::bad_alloc.
  void remove_filter(const std::shared_ptr<const Filter>& filter);

 private:
  friend class detail::Tree;
  friend struct detail::HandlersOf;
  friend void detail::write_call(const Logger& logger, const detail::Call& call,
                                 std::string_view text, const detail::PlainValues* values,
                                 std::chrono::system_clock::time_point created) noexcept;
  struct State;

  explicit Logger(std::string name);

  // Records go to these handlers in place of those it had, which are returned: each record to the
  // ones or to the others.
  // Throws std::bad_alloc.
  std::vector<std::shared_ptr<Handler>> set_handlers(
      const std::vector<std::shared_ptr<Handler>>& handlers);

  // See detail::write_call(); but with the exception that the call has.
  void handle_call(const detail::Call& call, std::string_view text,
                   const detail::PlainValues* values,
                   std::chrono::system_clock::time_point created) const noexcept;

  void handle(detail::Draft&& draft) const noexcept;

  // False when one of the filters holds the record back. Throws what they throw.
  bool lets_pass(detail::Draft& draft) const;

  // The lowest level that is enabled, as the numbers of Level go:
  //   max(effective level, floor + 1)   set by the tree whenever a level or the floor changes
  //   INT_MAX                           while the logger is disabled
  // It orders nothing, so it is read relaxed.
  conc::detail::Atomic<int> threshold_;
  const std::string name_;
  const std::unique_ptr<State> state_;
};

// No logger makes records of `level` or below from now on; Level::notset lifts the floor. The
// largest int is no level to log with: is_enabled_for() is always true of it.
// Cost: visits all loggers.
// Python: logging.disable()
CONC_LOGGING_EXPORT void disable(Level level = Level::critical);

}  // namespace conc::logging

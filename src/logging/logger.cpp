#include <conc/config.hpp>
#include <conc/detail/thread_record.hpp>
#include <conc/hooks.hpp>
#include <conc/logging/log_call.hpp>
#include <conc/logging/logger.hpp>
#include <conc/logging/stream_handler.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "active.hpp"
#include "complaint.hpp"
#include "filtered.hpp"
#include "process_id.hpp"
#include "published.hpp"
#include "thread_context.hpp"
#include "tree.hpp"

namespace conc::logging {
namespace {

using detail::Tree;

// Where records go that find no handler. Made at the first of them, since what stderr is may change
// until then; by each thread that comes meanwhile, so that none waits for another, see fork.hpp.
Handler& last_resort() {
  static constinit conc::detail::Atomic<Handler*> made{nullptr};  // never destroyed
  Handler* handler = made.load(std::memory_order_acquire);
  if (handler == nullptr) {
    auto mine = std::make_unique<StreamHandler>();
    mine->set_level(Level::warning);
    if (made.compare_exchange_strong(handler, mine.get(), std::memory_order_acq_rel)) {
      handler = mine.release();
    }
  }
  return *handler;
}

template <class T>
bool add_once(std::vector<T>& list, const T& one) {
  if (std::find(list.begin(), list.end(), one) != list.end()) return false;
  list.push_back(one);
  return true;
}

// Set while the thread is in write() and the name that it looks at must stay as it is.
constinit thread_local bool name_is_in_use = false;

// In whose life what looks at a record may log itself: handlers and filters, and the destructors of
// those that were taken away meanwhile.
class NameInUse {
 public:
  NameInUse() noexcept { name_is_in_use = true; }
  ~NameInUse() { name_is_in_use = before_; }
  NameInUse(const NameInUse&) = delete;
  NameInUse& operator=(const NameInUse&) = delete;

  [[nodiscard]] bool already() const noexcept { return before_; }

 private:
  const bool before_ = name_is_in_use;
};

// The nearest that there is for a time which a bridge made up.
std::chrono::nanoseconds after_start(std::chrono::system_clock::time_point created) noexcept {
  using Time = std::chrono::system_clock::time_point;
  const Time start = Tree::instance().start();
  // What comes after 1970 is not too far from the start.
  if (created < Time()) [[unlikely]] {
    created = std::max(created, Time::min() + start.time_since_epoch());
  }
  return created - start;
}

// Adds what the logger, the thread and the process have to say.
CONC_ALWAYS_INLINE void handle_call(const Logger& logger, const detail::Call& call,
                                    std::string_view message, std::string_view exception,
                                    std::chrono::system_clock::time_point created) noexcept {
  try {
    const NameInUse in_use;
    const bool nested = in_use.already();
    const std::string copied_name = nested ? conc::detail::this_thread_name() : std::string();
    const std::string_view thread_name =
        nested ? std::string_view(copied_name) : conc::detail::look_at_this_thread_name();
    logger.handle({
        .name = logger.name(),
        .level = call.level,
        .message = message,
        .exception = exception,
        .pathname = call.site.pathname,
        .func = call.site.func,
        .lineno = call.site.line,
        .created = created,
        .relative_created = after_start(created),
        .thread = conc::detail::self_id(),
        .thread_name = thread_name,
        .process = detail::process_id(),
        .process_name = detail::process_name,
        .fields = call.fields,
        .context = detail::thread_context(),
    });
  } catch (...) {
    detail::complain_of_loss(logger);
  }
}

}  // namespace

void detail::write_call(const Logger& logger, const Call& call, std::string_view message,
                        std::chrono::system_clock::time_point created) noexcept {
  if (!call.with_exception) return handle_call(logger, call, message, {}, created);
  try {
    handle_call(logger, call, message, conc::describe(std::current_exception()), created);
  } catch (...) {
    complain_of_format(call.site);
  }
}

Logger& get_logger(std::string_view name) { return Tree::instance().get(name); }

void disable(Level level) { Tree::instance().set_floor(level); }

Logger::Logger(std::string name)
    : threshold_(std::numeric_limits<int>::max()),
      name_(std::move(name)),
      state_(std::make_unique<State>()) {}

Logger::~Logger() = default;

void Logger::write(Level level, const CallSite& site, std::string_view message,
                   std::string_view exception, std::span<const Field> fields,
                   std::chrono::system_clock::time_point created) const noexcept {
  handle_call(*this, {.level = level, .site = site, .fields = fields}, message, exception, created);
}

void Logger::handle(const LogRecord& original) const noexcept {
  if (disabled()) return;
  try {
    if (detail::Active::defer(*this, original)) return;
    detail::Filtered filtered(original);
    if (!state_->filters.empty() && !lets_pass(filtered)) return;
    const LogRecord& record = filtered.record();
    bool found = false;
    const Logger* logger = this;
    do {
      if (const auto handlers = logger->state_->handlers.read()) {
        found = true;
        for (const auto& handler : *handlers) {
          if (record.level >= handler->level()) handler->handle(record);
        }
      }
    } while (logger->propagate() && (logger = logger->parent()) != nullptr);
    if (!found && record.level >= last_resort().level()) last_resort().handle(record);
  } catch (...) {
    detail::complain_of_loss(*this);
  }
}

bool Logger::lets_pass(detail::Filtered& filtered) const {
  const auto filters = state_->filters.read();
  if (!filters) return true;
  if (detail::Active::contains(this)) return false;  // logged by one of the filters
  const detail::Active active(this);
  return filtered.passes(*filters);
}

void Logger::set_level(Level level) { Tree::instance().set_level(*this, level); }

Level Logger::level() const noexcept {
  return static_cast<Level>(state_->level.load(std::memory_order_relaxed));
}

Level Logger::effective_level() const noexcept {
  for (const Logger* logger = this; logger != nullptr; logger = logger->parent()) {
    if (const Level level = logger->level(); level != Level::notset) return level;
  }
  return Level::notset;
}

Logger* Logger::parent() const noexcept { return state_->parent.load(std::memory_order_acquire); }

std::vector<Logger*> Logger::children() const { return Tree::instance().children(*this); }

Logger& Logger::child(std::string_view suffix) const {
  if (parent() == nullptr) return get_logger(suffix);
  return get_logger(name_ + '.' + std::string(suffix));
}

void Logger::set_propagate(bool propagate) noexcept {
  state_->propagate.store(propagate, std::memory_order_relaxed);
}

bool Logger::propagate() const noexcept {
  return state_->propagate.load(std::memory_order_relaxed);
}

void Logger::set_disabled(bool disabled) { Tree::instance().set_disabled(*this, disabled); }

bool Logger::disabled() const noexcept { return state_->disabled.load(std::memory_order_relaxed); }

void Logger::add_handler(std::shared_ptr<Handler> handler) {
  if (handler == nullptr) {
    throw std::invalid_argument(
        "conc::logging::Logger::add_handler: the handler must not be null.");
  }
  Handler::enlist(handler);
  state_->handlers.update([&](auto& handlers) { return add_once(handlers, handler); });
}

void Logger::remove_handler(const std::shared_ptr<Handler>& handler) {
  state_->handlers.update([&](auto& handlers) { return std::erase(handlers, handler) != 0; });
}

std::vector<std::shared_ptr<Handler>> Logger::set_handlers(
    const std::vector<std::shared_ptr<Handler>>& handlers) {
  std::vector<std::shared_ptr<Handler>> others;
  for (const auto& handler : handlers) {
    Handler::enlist(handler);
    add_once(others, handler);
  }
  state_->handlers.update([&](auto& present) {
    present.swap(others);
    return true;
  });
  return others;
}

std::vector<std::shared_ptr<Handler>> Logger::handlers() const {
  const auto handlers = state_->handlers.read();
  return handlers ? *handlers : std::vector<std::shared_ptr<Handler>>();
}

bool Logger::has_handlers() const noexcept {
  const Logger* logger = this;
  do {
    if (!logger->state_->handlers.empty()) return true;
  } while (logger->propagate() && (logger = logger->parent()) != nullptr);
  return false;
}

void Logger::add_filter(std::shared_ptr<const Filter> filter) {
  if (filter == nullptr) {
    throw std::invalid_argument("conc::logging::Logger::add_filter: the filter must not be null.");
  }
  state_->filters.update([&](auto& filters) { return add_once(filters, filter); });
}

void Logger::remove_filter(const std::shared_ptr<const Filter>& filter) {
  state_->filters.update([&](auto& filters) { return std::erase(filters, filter) != 0; });
}

}  // namespace conc::logging

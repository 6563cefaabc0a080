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
#include "draft.hpp"
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

// The view in two words. A processor waits for what it has just written, if it reads it in larger
// pieces, as compilers prefer to.
template <class View>
View in_words(const View& view) noexcept {
  std::size_t size = view.size();
#if defined(__GNUC__)
  asm("" : "+r"(size));
#endif
  return {view.data(), size};
}

CONC_COLD void write_with_exception(const Logger& logger, detail::Call call, std::string_view text,
                                    const detail::PlainValues* values,
                                    std::chrono::system_clock::time_point created) noexcept {
  try {
    const std::string exception = conc::describe(std::current_exception());
    call.with_exception = false;
    call.exception = exception;
    detail::write_call(logger, call, text, values, created);
  } catch (...) {
    detail::complain_of_format(call.site);
  }
}

}  // namespace

void detail::write_call(const Logger& logger, const Call& call, std::string_view text,
                        const PlainValues* values,
                        std::chrono::system_clock::time_point created) noexcept {
  if (call.with_exception) return write_with_exception(logger, call, text, values, created);
  logger.handle_call(call, text, values, created);
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
  handle_call({.level = level, .site = site, .fields = fields, .exception = exception}, message,
              nullptr, created);
}

// Adds what the thread and the process have to say.
void Logger::handle_call(const detail::Call& call, std::string_view text,
                         const detail::PlainValues* values,
                         std::chrono::system_clock::time_point created) const noexcept {
  try {
    const NameInUse in_use;
    const bool nested = in_use.already();
    const std::string copied_name = nested ? conc::detail::this_thread_name() : std::string();
    const std::string_view thread_name =
        nested ? std::string_view(copied_name) : conc::detail::look_at_this_thread_name();
    handle(detail::Draft(
        {
            .name = name_,
            .level = call.level,
            .message = in_words(text),
            .exception = in_words(call.exception),
            .pathname = in_words(call.site.pathname),
            .func = in_words(call.site.func),
            .lineno = call.site.line,
            .created = created,
            .relative_created = after_start(created),
            .thread = conc::detail::self_id(),
            .thread_name = thread_name,
            .process = detail::process_id(),
            .process_name = detail::process_name,
            .fields = in_words(call.fields),
            .context = detail::thread_context(),
        },
        values));
  } catch (...) {
    detail::complain_of_loss(*this);
  }
}

void Logger::handle(const LogRecord& record) const noexcept { handle(detail::Draft(record)); }

void Logger::handle(detail::Draft&& draft) const noexcept {
  if (disabled()) return;
  try {
    if (detail::Active::anywhere() && detail::Active::defer(*this, draft.finished())) return;
    if (!state_->filters.empty() && !lets_pass(draft)) return;
    const Level level = draft.record().level;
    bool found = false;
    const Logger* logger = this;
    do {
      if (const auto handlers = logger->state_->handlers.read()) {
        found = true;
        for (const auto& handler : *handlers) {
          if (level >= handler->level()) handler->handle(draft);
        }
      }
    } while (logger->propagate() && (logger = logger->parent()) != nullptr);
    if (!found && level >= last_resort().level()) last_resort().handle(draft);
  } catch (...) {
    detail::complain_of_loss(*this);
  }
}

bool Logger::lets_pass(detail::Draft& draft) const {
  const auto filters = state_->filters.read();
  if (!filters) return true;
  if (detail::Active::contains(this)) return false;  // logged by one of the filters
  const detail::Active active(this);
  return draft.passes(*filters);
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

#include <conc/detail/inspect.hpp>
#include <conc/detail/machine.hpp>
#include <conc/logging/handler.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>
#include <stdexcept>
#include <typeinfo>
#include <utility>

#include "active.hpp"
#include "complaint.hpp"
#include "filtered.hpp"
#include "fork.hpp"
#include "line_buffer.hpp"
#include "published.hpp"
#include "shutdown.hpp"

#if defined(__GNUC__)
#include <cxxabi.h>

#include <cstdlib>
#endif

namespace conc::logging {
namespace {

// What may change while others log: replaced as a whole.
struct Outfit {
  std::vector<std::shared_ptr<const Filter>> filters;
  std::shared_ptr<const Formatter> formatter;
  std::string terminator;
  bool operator==(const Outfit&) const = default;
};

const Formatter& bare_message() {
  static const Formatter* const formatter = new Formatter;  // serves destructors of globals as well
  return *formatter;
}

[[maybe_unused]] const bool at_load = (bare_message(), true);

std::string described(const Handler& handler) { return handler.description(); }

constinit conc::detail::Atomic<std::uint64_t> last_serial{0};

}  // namespace

struct Handler::State {
  explicit State(Wants what) : wants(what) {}

  // Takes the lock for what the handler does with its records, unless that needs none.
  std::unique_lock<Lock> enter(detail::Active& active) {
    if (wants == Wants::shared) return {};
    active.begin_locked();
    return std::unique_lock(lock);
  }

  // The same for flush() and close(): emit() may end the program, whose exit closes the handler.
  std::unique_lock<Lock> enter_again(detail::Active& active) {
    if (!conc::detail::Inspect::held_here(lock)) return enter(active);
    active.begin_locked();
    return {};
  }

  const Wants wants;
  const std::uint64_t serial = last_serial.fetch_add(1, std::memory_order_relaxed) + 1;
  conc::detail::Atomic<std::uint64_t> lost{0};
  conc::detail::Atomic<bool> unsaid{false};  // records were lost after the last complaint
  detail::Published<Outfit> outfit;
  Lock lock{lock_name};
  detail::Complaint complaint;

 private:
  static constexpr const char* lock_name = "logging.Handler";

  void fork(detail::ForkMoment moment, Until until) CONC_NO_THREAD_SAFETY_ANALYSIS {
    switch (moment) {
      case detail::ForkMoment::before:
        // A thread that forks inside of emit(), or of another member, has it already.
        held_by_program_ = conc::detail::Inspect::held_here(lock);
        held_by_fork_ = !held_by_program_ && lock.acquire(until);
        return;
      case detail::ForkMoment::in_parent:
        if (held_by_fork_) lock.release();
        return;
      case detail::ForkMoment::in_child:
        // Not released, since it would be handed over to a thread that is not there.
        ::new (static_cast<void*>(&lock)) Lock(lock_name);
        if (held_by_program_) lock.acquire();
        outfit.renew_after_fork();
        return;
    }
  }

  bool held_by_program_ = false;  // by the thread that forks
  bool held_by_fork_ = false;
  const detail::ForkEntry fork_entry_{this, [](void* self, detail::ForkMoment moment, Until until) {
                                        static_cast<State*>(self)->fork(moment, until);
                                      }};
};

Handler::Handler(Wants wants, std::string terminator) : state_(std::make_unique<State>(wants)) {
  set_terminator(std::move(terminator));
}

Handler::~Handler() { say_losses(); }

void Handler::set_formatter(std::shared_ptr<const Formatter> formatter) {
  state_->outfit.update([&](Outfit& outfit) {
    outfit.formatter.swap(formatter);
    return true;
  });
}

std::shared_ptr<const Formatter> Handler::formatter() const {
  const auto outfit = state_->outfit.read();
  return outfit ? outfit->formatter : nullptr;
}

void Handler::set_terminator(std::string terminator) {
  state_->outfit.update([&](Outfit& outfit) {
    outfit.terminator.swap(terminator);
    return true;
  });
}

std::string Handler::terminator() const {
  const auto outfit = state_->outfit.read();
  return outfit ? outfit->terminator : std::string();
}

void Handler::add_filter(std::shared_ptr<const Filter> filter) {
  if (filter == nullptr) {
    throw std::invalid_argument("conc::logging::Handler::add_filter: the filter must not be null.");
  }
  state_->outfit.update([&](Outfit& outfit) {
    const auto& filters = outfit.filters;
    if (std::find(filters.begin(), filters.end(), filter) != filters.end()) return false;
    outfit.filters.push_back(std::move(filter));
    return true;
  });
}

void Handler::remove_filter(const std::shared_ptr<const Filter>& filter) {
  state_->outfit.update([&](Outfit& outfit) { return std::erase(outfit.filters, filter) != 0; });
}

bool Handler::handle(const LogRecord& original) noexcept {
  State& state = *state_;
  if (state.wants == Wants::nothing) return true;
  if (detail::Active::contains(this)) {
    lose("a record that it logged itself was lost: ", original.message);
    return true;
  }

  detail::Active active(this);
  bool passed = false;
  bool behind = false;  // a record has arrived, and it is not said how many had not
  try {
    const auto outfit = state.outfit.read();
    detail::Filtered filtered(original);
    if (outfit && !filtered.passes(outfit->filters)) return false;
    const LogRecord& record = filtered.record();
    passed = true;

    detail::LineBuffer buffer;
    std::string_view line;
    if (state.wants == Wants::line) {
      const Formatter* const formatter = outfit ? outfit->formatter.get() : nullptr;
      line = buffer.line(formatter != nullptr ? *formatter : bare_message(), record,
                         outfit ? std::string_view(outfit->terminator) : std::string_view());
    }

    if (try_emit(record, line)) return passed;
    const auto held = state.enter(active);
    emit(record, line);
    behind = state.unsaid.load(std::memory_order_relaxed) && !holds_back();
  } catch (...) {
    lose("a record was lost: ", detail::describe_current_exception());
    return passed;
  }
  if (behind) [[unlikely]] {
    catch_up(described);
  }
  return passed;
}

void Handler::flush() {
  using enum detail::Active::Doing;
  if (detail::Active::contains(this, flush) || detail::Active::contains(this, close)) return;
  detail::Active active(this, flush);
  const auto held = state_->enter_again(active);
  on_flush();
}

void Handler::close() {
  using enum detail::Active::Doing;
  if (detail::Active::contains(this, close)) return;
  const bool flushing = detail::Active::contains(this, flush);
  detail::Active active(this, close);
  const auto held = state_->enter_again(active);
  try {
    if (!flushing && flushes_on_close()) on_flush();
  } catch (...) {
    say_losses();
    on_close();
    throw;
  }
  say_losses();
  on_close();
}

std::uint64_t Handler::lost() const noexcept {
  return state_->lost.load(std::memory_order_relaxed);
}

std::uint64_t Handler::dropped() const noexcept { return 0; }

std::string Handler::description() const {
  const char* const name = typeid(*this).name();
#if defined(__GNUC__)
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> readable(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), std::free);
  if (status == 0) return readable.get();
#endif
  return name;
}

bool Handler::try_emit(const LogRecord&, std::string_view) noexcept { return false; }

bool Handler::holds_back() const noexcept { return false; }

void Handler::on_flush() {}

void Handler::on_close() {}

bool Handler::flushes_on_close() const noexcept { return true; }

Lock& Handler::lock() const noexcept { return state_->lock; }

void Handler::enlist(const std::shared_ptr<Handler>& handler) {
  detail::close_at_shutdown(handler->state_->serial, handler);
}

void Handler::lose(std::string_view what, std::string_view why) const noexcept {
  count_lost(1, false);
  if (!may_complain()) return;
  state_->unsaid.exchange(false, std::memory_order_acq_rel);
  const std::uint64_t lost = state_->lost.load(std::memory_order_relaxed);
  try {
    detail::complain({description(), ": ", what, why, " (", std::to_string(lost), " lost so far)"});
  } catch (...) {
    detail::complain({"a handler: ", what, why});
  }
}

void Handler::count_lost(std::uint64_t records, bool said) const noexcept {
  // First counted, then unsaid; and the other way round who says the number: so it tells of every
  // record whose mark it takes away.
  state_->lost.fetch_add(records, std::memory_order_relaxed);
  state_->unsaid.exchange(true, std::memory_order_acq_rel);
  if (said) state_->unsaid.exchange(false, std::memory_order_acq_rel);
}

void Handler::say_losses() const noexcept { say_losses_as(described); }

void Handler::say_losses_as(Describe describe) const noexcept {
  if (!state_->unsaid.exchange(false, std::memory_order_acq_rel)) return;
  try {
    detail::complain({describe(*this), ": ", std::to_string(lost()), " records lost so far"});
  } catch (...) {
    detail::complain({"a handler: more records were lost"});
  }
}

void Handler::catch_up(Describe describe) const noexcept {
  if (state_->unsaid.load(std::memory_order_relaxed) && may_complain()) say_losses_as(describe);
}

bool Handler::may_complain() const noexcept { return state_->complaint.due(); }

void Handler::complain(std::string_view what) const noexcept {
  if (!may_complain()) return;
  try {
    detail::complain({description(), ": ", what});
  } catch (...) {
    detail::complain({"a handler: ", what});
  }
}

NullHandler::NullHandler() : Handler(Wants::nothing) {}

NullHandler::~NullHandler() = default;

void NullHandler::emit(const LogRecord&, std::string_view) {}

}  // namespace conc::logging

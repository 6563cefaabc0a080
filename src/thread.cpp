#include <conc/detail/machine.hpp>
#include <conc/detail/thread_record.hpp>
#include <conc/errors.hpp>
#include <conc/event.hpp>
#include <conc/hooks.hpp>
#include <conc/thread.hpp>

#include <atomic>
#include <exception>
#include <mutex>

#include "detail/message.hpp"

namespace conc {

// Shared by the Thread object and the running thread, since either may end first.
//
// phase     meaning                                     entered by
// fresh     not started                                 constructor; start() when it was refused
// starting  start() is making the thread                start()
// running   the function runs, or is about to           the thread, at its first step
// ended     the function has returned and is destroyed  the thread, at its last
class detail::ThreadState {
 public:
  ThreadState(ThreadOptions options, std::unique_ptr<ThreadBody> body)
      : body_(std::move(body)),
        name_(options.name.empty() ? default_name() : std::move(options.name)),
        daemon_(options.daemon.value_or(this_thread_record().daemon)) {}

  static void start(const std::shared_ptr<ThreadState>& self) {
    if (!self->leave_fresh()) {
      throw UsageError(self->said("was started before; a thread can be started once"));
    }
    try {
      const std::lock_guard lock(self->joining_);
      self->native_ = NativeThread([self] { self->run(); });
    } catch (...) {
      const std::lock_guard lock(self->mutex_);
      self->phase_ = Phase::fresh;
      throw;
    }
    self->begun_.wait();
  }

  bool join(Until until) {
    if (phase() == Phase::fresh) {
      throw UsageError(said("was joined before it was started; start it first"));
    }
    if (is_current()) {
      throw UsageError(said("was joined by itself; that would wait for ever"));
    }
    if (!ended_.wait(until)) return false;
    // The function is over. What is left of the thread takes no time worth counting.
    const std::lock_guard lock(joining_);
    if (native_.joinable()) native_.join();
    return true;
  }

  // For the destructor of the Thread.
  void let_go() noexcept {
    if (phase() == Phase::fresh) return;
    if (!daemon() && !is_current()) {
      stop_.request_stop();
      static_cast<void>(join(forever));
      return;
    }
    const std::lock_guard lock(joining_);
    if (native_.joinable()) native_.detach();
  }

  bool is_alive() const {
    const Phase now = phase();
    return now == Phase::starting || now == Phase::running;
  }

  std::string name() const {
    const std::lock_guard lock(mutex_);
    return name_;
  }

  void set_name(std::string name) {
    const std::lock_guard lock(mutex_);
    if (record_ != nullptr) set_thread_name(*record_, name);
    name_ = std::move(name);
  }

  bool daemon() const {
    const std::lock_guard lock(mutex_);
    return daemon_;
  }

  void set_daemon(bool daemon) {
    {
      const std::lock_guard lock(mutex_);
      if (phase_ == Phase::fresh) {
        daemon_ = daemon;
        return;
      }
    }
    throw UsageError(said("is started; its daemon flag can be set before that only"));
  }

  std::optional<std::uint64_t> ident() const {
    const std::lock_guard lock(mutex_);
    return ident_;
  }

  std::optional<std::int64_t> native_id() const {
    const std::lock_guard lock(mutex_);
    return native_id_;
  }

  std::stop_source& stop_source() noexcept { return stop_; }

 private:
  enum class Phase : std::uint8_t { fresh, starting, running, ended };

  static std::string default_name() {
    static constinit Atomic<std::uint64_t> count{0};
    return "Thread-" + std::to_string(count.fetch_add(1, std::memory_order_relaxed) + 1);
  }

  std::string said(std::string_view what) const { return message("Thread", name().c_str(), what); }

  Phase phase() const {
    const std::lock_guard lock(mutex_);
    return phase_;
  }

  // For one caller only.
  bool leave_fresh() {
    const std::lock_guard lock(mutex_);
    return phase_ == Phase::fresh && (phase_ = Phase::starting, true);
  }

  bool is_current() const {
    const std::lock_guard lock(mutex_);
    return ident_.has_value() && *ident_ == this_thread_id && phase_ != Phase::ended;
  }

  // The thread's own part.
  void run() noexcept {
    try {
      begin();
      begun_.set();
      body_->run(stop_.get_token());
    } catch (...) {
      begun_.set();
      report_escaped(std::current_exception());
    }
    body_.reset();  // what the function held is gone before anybody hears that the thread has ended
    {
      const std::lock_guard lock(mutex_);
      record_ = nullptr;
      phase_ = Phase::ended;
    }
    ended_.set();
  }

  void begin() {
    std::string name;
    bool daemon = false;
    {
      const std::lock_guard lock(mutex_);
      name = name_;
      daemon = daemon_;
    }
    ThreadRecord& record = begin_this_thread(std::move(name), daemon);
    const std::lock_guard lock(mutex_);
    record_ = &record;
    ident_ = record.id;
    native_id_ = record.native_id;
    phase_ = Phase::running;
  }

  void report_escaped(std::exception_ptr exception) const noexcept {
    std::string text;
    try {
      text = said("was ended by an exception");
    } catch (...) {
      // No memory for the name; the exception is what matters.
    }
    report({"conc.thread", Severity::error,
            text.empty() ? "a thread was ended by an exception" : text, std::move(exception)});
  }

  mutable Mutex mutex_;
  Phase phase_ = Phase::fresh;
  std::unique_ptr<ThreadBody> body_;  // the thread's own, once it runs
  std::string name_;
  bool daemon_;
  ThreadRecord* record_ = nullptr;  // while it runs
  std::optional<std::uint64_t> ident_;
  std::optional<std::int64_t> native_id_;

  std::stop_source stop_;
  Event begun_{"start of a thread"};
  Event ended_{"end of a thread"};
  Mutex joining_;        // held while one of those who join() waits for the operating system
  NativeThread native_;  // guarded by joining_
};

std::shared_ptr<detail::ThreadState> Thread::make_state(ThreadOptions options,
                                                        std::unique_ptr<detail::ThreadBody> body) {
  return std::make_shared<detail::ThreadState>(std::move(options), std::move(body));
}

Thread::~Thread() { finish(); }

Thread& Thread::operator=(Thread&& other) noexcept {
  if (this != &other) {
    finish();
    state_ = std::move(other.state_);
  }
  return *this;
}

void Thread::finish() noexcept {
  if (state_ != nullptr) state_->let_go();
}

detail::ThreadState& Thread::state() const {
  if (state_ == nullptr) {
    throw UsageError(
        "conc::Thread was used after it was moved from; use the thread it was moved to.");
  }
  return *state_;
}

void Thread::start() {
  static_cast<void>(state());
  detail::ThreadState::start(state_);
}

bool Thread::join(Until until) { return state().join(until); }
bool Thread::is_alive() const { return state().is_alive(); }
std::string Thread::name() const { return state().name(); }
void Thread::set_name(std::string name) { state().set_name(std::move(name)); }
bool Thread::daemon() const { return state().daemon(); }
void Thread::set_daemon(bool daemon) { state().set_daemon(daemon); }
std::optional<std::uint64_t> Thread::ident() const { return state().ident(); }
std::optional<std::int64_t> Thread::native_id() const { return state().native_id(); }
bool Thread::request_stop() { return state().stop_source().request_stop(); }
std::stop_token Thread::stop_token() const { return state().stop_source().get_token(); }

}  // namespace conc

#include <conc/detail/machine.hpp>
#include <conc/detail/thread_record.hpp>
#include <conc/detail/waiting.hpp>
#include <conc/errors.hpp>
#include <conc/event.hpp>
#include <conc/thread.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <list>
#include <mutex>

#include "detail/at_exit.hpp"
#include "detail/escaped.hpp"
#include "detail/fork.hpp"
#include "detail/message.hpp"

namespace conc {

namespace {

// The threads that the process may not end without: those that are no daemons, from start() until
// somebody has joined them, or until they end when their object went before.
class Unfinished {
 public:
  using State = std::shared_ptr<detail::ThreadState>;
  struct Entry {
    State state;
    std::uint64_t forks;  // what forks_ was: the others belong to a parent process
  };
  using Place = std::list<Entry>::iterator;

  // Never destroyed: threads may end after the globals are gone.
  static Unfinished& instance() {
    static Unfinished* const unfinished = new Unfinished;
    return *unfinished;
  }

  Place add(State state) {
    std::list<Entry> added;
    added.push_back({std::move(state), 0});
    const std::lock_guard lock(mutex_);
    added.back().forks = forks_;
    entries_.splice(entries_.end(), added);
    return std::prev(entries_.end());
  }

  void remove(Place place) noexcept {
    std::list<Entry> removed;
    const std::lock_guard lock(mutex_);
    removed.splice(removed.end(), entries_, place);
  }

  // The oldest one that is not the calling thread, or nullptr.
  State next() noexcept;

 private:
  Unfinished();

  detail::Mutex mutex_;
  std::list<Entry> entries_;
  std::uint64_t forks_ = 0;  // between the parents' parent and this process
};

}  // namespace

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
        daemon_(options.daemon.value_or(inherited_daemon())) {}

  static void start(const std::shared_ptr<ThreadState>& self) {
    if (!self->leave_fresh()) {
      throw UsageError(self->said("was started before; a thread can be started once"));
    }
    try {
      const std::lock_guard lock(self->joining_);
      if (!self->daemon()) self->place_ = Unfinished::instance().add(self);
      self->native_ = NativeThread([self] { self->run(); });
    } catch (...) {
      self->forget();
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
    if (!wait_for_end(until)) return false;
    // The function is over. What is left of the thread takes no time worth counting.
    {
      const std::lock_guard lock(joining_);
      if (native_.joinable()) native_.join();
    }
    forget();
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
    if (is_current()) object_gone_ = true;
    const std::lock_guard lock(joining_);
    if (native_.joinable()) native_.detach();
  }

  bool is_alive() const {
    const Phase now = phase();
    return now == Phase::starting || now == Phase::running;
  }

  std::string name() const {
    const std::lock_guard lock(mutex_);
    return record_ != nullptr ? thread_name(*record_) : name_;
  }

  void set_name(std::string name) {
    const std::lock_guard lock(mutex_);  // before the registry's, never after
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

  bool is_current() const {
    const std::lock_guard lock(mutex_);
    return ident_.has_value() && *ident_ == this_thread_id && phase_ != Phase::ended;
  }

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

  // Python has a thread inherit the flag even from a thread that it did not start, which counts as a
  // daemon there. Here that would let the destructor of a Thread in a std::thread wait for nobody.
  static bool inherited_daemon() {
    const ThreadRecord& self = this_thread_record();
    return self.daemon && !self.foreign;
  }

  // Nobody need wait for the thread when the process ends.
  void forget() noexcept {
    std::optional<Unfinished::Place> place;
    {
      const std::lock_guard lock(joining_);
      place.swap(place_);
    }
    if (place) Unfinished::instance().remove(*place);
  }

  bool wait_for_end(Until until) {
    Patience patience(until);
    ThreadNode node({WaitKind::thread, this, nullptr, ident().value_or(0)});
    {
      const std::lock_guard lock(mutex_);
      if (phase_ == Phase::ended) return true;
      if (patience.none()) return false;
      joiners_.push_back(node);
    }
    if (node.spin_then_sleep(patience) == Outcome::woken) return true;
    {
      const std::lock_guard lock(mutex_);
      if (node.linked()) {
        joiners_.remove(node);
        return false;
      }
    }
    node.sleep_until_woken();
    return true;
  }

  // The thread's own part.
  void run() noexcept {
    try {
      begin();
      begun_.set();
      body_->run(stop_.get_token());
    } catch (...) {
      begun_.set();
      escaped(std::current_exception());
    }
    body_.reset();  // what the function held is gone before anybody hears that the thread has ended
    keep_name();
    end_this_thread();
    WakeChain joiners;
    {
      const std::lock_guard lock(mutex_);
      record_ = nullptr;
      phase_ = Phase::ended;
      joiners = joiners_.take_all();
    }
    joiners.wake_all();
    if (object_gone_) forget();
  }

  void escaped(const std::exception_ptr& exception) const noexcept {
    std::string own_name;
    try {
      own_name = name();
    } catch (const std::bad_alloc&) {
      // The exception is what matters.
    }
    exception_escaped("Thread", own_name, "was ended by an exception", exception);
  }

  // The thread may have named itself.
  void keep_name() noexcept {
    try {
      std::string last = name();
      const std::lock_guard lock(mutex_);
      name_.swap(last);
    } catch (const std::bad_alloc&) {
      // It keeps the name it had at the start.
    }
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

  mutable Mutex mutex_;
  Phase phase_ = Phase::fresh;
  std::unique_ptr<ThreadBody> body_;  // the thread's own, once it runs
  std::string name_;
  bool daemon_;
  ThreadRecord* record_ = nullptr;  // while it runs
  std::optional<std::uint64_t> ident_;
  std::optional<std::int64_t> native_id_;

  WaitList joiners_;

  std::stop_source stop_;
  Event begun_{"start of a thread"};
  Mutex joining_;  // held while one of those who join() waits for the operating system

  // Guarded by joining_.
  NativeThread native_;
  std::optional<Unfinished::Place> place_;

  bool object_gone_ = false;  // the Thread was destroyed in this very thread, which alone asks
};

namespace {

// Whoever called std::exit may be one of them, and does not wait for itself.
Unfinished::State Unfinished::next() noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(entries_.begin(), entries_.end(), [this](const Entry& entry) {
    return entry.forks == forks_ && !entry.state->is_current();
  });
  return found != entries_.end() ? found->state : nullptr;
}

Unfinished::Unfinished() {
  detail::guard_over_fork(mutex_, []() noexcept { ++instance().forks_; });
  detail::wait_at_exit([]() noexcept {
    bool any = false;
    while (const State state = instance().next()) {
      static_cast<void>(state->join(forever));
      any = true;
    }
    return any;
  });
}

}  // namespace

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

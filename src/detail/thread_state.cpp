#include "thread_state.hpp"

#include <conc/errors.hpp>

#include <atomic>
#include <exception>
#include <mutex>
#include <new>
#include <utility>

#include "bare_node.hpp"
#include "escaped.hpp"
#include "message.hpp"

namespace conc::detail {
namespace {

std::uint64_t next_number() noexcept {
  static constinit Atomic<std::uint64_t> count{0};
  return count.fetch_add(1, std::memory_order_relaxed) + 1;
}

// Of the ThreadState that the calling thread runs, or 0. The thread's id does not do: its record
// may have gone before the last of its thread-specific keys asks.
constinit thread_local std::uint64_t running_number = 0;

std::string default_name() {
  static constinit Atomic<std::uint64_t> count{0};
  return "Thread-" + std::to_string(count.fetch_add(1, std::memory_order_relaxed) + 1);
}

}  // namespace

ThreadState::ThreadState(ThreadOptions options, std::unique_ptr<ThreadBody> body)
    : number_(next_number()),
      body_(std::move(body)),
      name_(options.name.empty() ? default_name() : std::move(options.name)),
      daemon_(options.daemon.value_or(inherited_daemon())) {}

void ThreadState::start(std::shared_ptr<ThreadState> self) {
  static_cast<void>(self_id());  // what it takes to wait for the thread, which must not fail later
  const std::optional<StartedThreads::Place> place = StartedThreads::instance().add(self);
  if (!place) throw UsageError(self->said("was started before; a thread can be started once"));
  try {
    {
      const std::lock_guard lock(self->joining_);
      self->native_ = NativeThread([self] { self->run(); });
      self->place_ = place;
    }
    self->wait_until_begun();
  } catch (...) {
    StartedThreads::instance().take_back(*place);
    throw;
  }
}

// Throws what the thread's first step threw, when the thread is gone and nothing is left of it.
void ThreadState::wait_until_begun() {
  begun_.wait();
  if (failure_ == nullptr) return;
  {
    const std::lock_guard lock(joining_);
    native_.join();
    place_.reset();
  }
  begun_.clear();
  std::rethrow_exception(std::exchange(failure_, nullptr));
}

bool ThreadState::join(Until until) {
  if (is_current()) {
    throw UsageError(said("was joined by itself; that would wait for ever"));
  }
  Patience patience(until);
  for (Phase seen = phase(); seen != Phase::ended; seen = phase()) {
    if (seen == Phase::fresh) {
      throw UsageError(said("was joined before it was started; start it first"));
    }
    if (!wait_until_over(patience, true)) return false;
  }
  // The operating system's join knows no limit.
  if (until.is_timeless() && until.token() == nullptr) reap();
  return true;
}

void ThreadState::see_out() noexcept {
  try {
    Patience endless(forever);
    static_cast<void>(wait_until_over(endless, false));
  } catch (const std::bad_alloc&) {
    wait_until_over_without_memory();
  }
  reap();
}

void ThreadState::let_go() noexcept {
  if (is_current()) return let_go_of_itself();
  if (phase() == Phase::fresh) return;
  if (!daemon()) {
    stop_.request_stop();
    see_out();
    return;
  }
  {
    const std::lock_guard lock(joining_);
    if (native_.joinable()) native_.detach();
  }
  forget();
}

void ThreadState::let_go_of_itself() noexcept {
  const bool ended = phase() == Phase::ended;
  {
    std::unique_lock lock(joining_, std::defer_lock);
    if (!ended) {
      object_gone_ = true;
      lock.lock();
    } else if (!lock.try_lock()) {
      return;  // somebody waits for the very end of this thread, and will then forget it
    }
    if (native_.joinable()) native_.detach();
  }
  if (ended) forget();
}

bool ThreadState::outlives_fork() noexcept {
  std::construct_at(&mutex_);
  std::construct_at(&joining_);
  std::construct_at(&joiners_);
  if (is_current()) return true;
  phase_ = Phase::ended;
  record_ = nullptr;
  place_.reset();
  // The number may be that of a thread of this process soon, so it is forgotten and not detached.
  std::construct_at(&native_);
  // Who would hear of a stop is gone, and with him his callback.
  std::construct_at(&stop_, std::nostopstate);
  return false;
}

bool ThreadState::is_current() const noexcept { return running_number == number_; }

void ThreadState::set_name(std::string name) {
  const std::lock_guard lock(mutex_);  // before the registry's, never after
  if (record_ != nullptr) set_thread_name(*record_, name);
  name_ = std::move(name);
}

void ThreadState::set_daemon(bool daemon) {
  {
    const std::lock_guard lock(mutex_);
    if (phase_ == Phase::fresh) {
      daemon_ = daemon;
      return;
    }
  }
  throw UsageError(said("is started; its daemon flag can be set before that only"));
}

std::string ThreadState::said(std::string_view what) const {
  return message("Thread", name().c_str(), what);
}

// Nobody need wait for the thread when the process ends, or know of it when it forks.
void ThreadState::forget() noexcept {
  std::optional<StartedThreads::Place> place;
  {
    const std::lock_guard lock(joining_);
    place.swap(place_);
  }
  if (place) StartedThreads::instance().remove(*place);
}

bool ThreadState::wait_until_over(Patience& patience, bool may_throw) {
  ThreadNode node({WaitKind::thread, this, nullptr, ident().value_or(0)});
  if (may_throw) node.may_throw();
  {
    const std::lock_guard lock(mutex_);
    if (is_over()) return true;
    if (patience.none()) return false;
    joiners_.push_back(node);
  }
  if (node.spin_then_sleep(patience) == Outcome::woken) return true;
  {
    const std::lock_guard lock(mutex_);
    if (node.linked()) {
      joiners_.remove(node);
      node.throw_if_deadlocked();
      return false;
    }
  }
  node.sleep_until_woken();
  return true;
}

void ThreadState::wait_until_over_without_memory() noexcept {
  BareNode node;
  {
    const std::lock_guard lock(mutex_);
    if (is_over()) return;
    joiners_.push_back(node);
  }
  node.sleep_until_woken();
}

// The function is over. Blocks until the rest of the thread is: what it has that is thread_local
// goes then, which runs code of the user.
void ThreadState::reap() {
  {
    const std::lock_guard lock(joining_);
    if (native_.joinable()) native_.join();
  }
  forget();
}

// ---- The thread's own part

void ThreadState::run() noexcept {
  running_number = number_;
  try {
    begin();
  } catch (...) {
    failure_ = std::current_exception();
    begun_.set();
    return;
  }
  begun_.set();
  try {
    body_->run(stop_.get_token());
  } catch (...) {
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

// Throws std::bad_alloc, and has then changed nothing but the record, which goes with the thread.
void ThreadState::begin() {
  ThreadRecord& record = begin_this_thread(name(), daemon());
  const std::lock_guard lock(mutex_);
  if (name_ != this_thread_name()) set_this_thread_name(name_);  // it was renamed meanwhile
  record_ = &record;
  ident_ = record.id;
  native_id_ = record.native_id;
  phase_ = Phase::running;
}

void ThreadState::escaped(const std::exception_ptr& exception) const noexcept {
  std::string own_name;
  try {
    own_name = name();
  } catch (const std::bad_alloc&) {
    // The exception is what matters.
  }
  exception_escaped("Thread", own_name, "was ended by an exception", exception);
}

// The thread may have named itself.
void ThreadState::keep_name() noexcept {
  try {
    const std::lock_guard lock(mutex_);
    name_ = thread_name(*record_);
  } catch (const std::bad_alloc&) {
    // It keeps the name that it was given last through its Thread.
  }
}

}  // namespace conc::detail

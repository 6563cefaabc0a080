#include <conc/detail/future_state_base.hpp>
#include <conc/errors.hpp>
#include <conc/hooks.hpp>

#include <mutex>

#include "host.hpp"
#include "spin.hpp"

namespace conc::detail {

constinit thread_local Host* this_host = nullptr;

void job_returned(bool threw) noexcept {
  if (this_host != nullptr) this_host->job_returned(threw);
}

void before_completion(bool threw) noexcept {
  if (Host* const host = this_host) {
    host->job_returned(threw);
    host->job_ends();
  }
}

Callback::~Callback() = default;

FutureStateBase::~FutureStateBase() = default;

// ---- Completing

// Makes the phase known and takes the waiters. The callbacks stay where they are: from here on they
// are this thread's.
void FutureStateBase::publish(Word phase, WakeChain& woken) noexcept {
  const std::lock_guard lock(mutex_);
  Word seen = word_.load(std::memory_order_relaxed);
  while (!word_.compare_exchange_weak(seen, (seen & ~(phase_mask | listened)) | phase,
                                      std::memory_order_release, std::memory_order_relaxed)) {
  }
  woken = waiters_.take_all();
}

void FutureStateBase::finish_slow(Word phase, Word dropped) noexcept {
  // The reference to be dropped keeps the state until the last callback has returned. A promise
  // keeps its own, and may be destroyed by whoever sees the result.
  if (dropped == 0) add_ref();
  WakeChain woken;
  publish(phase, woken);
  woken.wake_all();
  if (first_ != nullptr) {
    if (this_host != nullptr) this_host->user_code_follows();
    run_callbacks();
  }
  if (release_ref()) delete_unheard();
}

// By the thread that completed it: nobody has a handle any more, and the result ends with the task.
void FutureStateBase::delete_unheard() noexcept {
  if (this_host != nullptr && (exception_ != nullptr || !ends_quietly())) {
    this_host->user_code_follows();
  }
  delete this;
}

void FutureStateBase::complete_quietly(Word phase) noexcept {
  WakeChain woken;
  publish(phase, woken);
  woken.wake_all();
}

// Runs the callbacks of this state, and those of the states that they complete quietly: depth
// first, as if by recursion, but the stack is the chain of below_.
void FutureStateBase::run_callbacks() noexcept {
  below_ = nullptr;
  for (FutureStateBase* top = this; top != nullptr;) {
    Callback* const callback = top->first_;
    if (callback == nullptr) {
      FutureStateBase* const finished = std::exchange(top, top->below_);
      if (finished != this) finished->drop_ref();
      continue;
    }
    top->first_ = callback->next_;
    Ref<FutureStateBase> then;
    run_callback(callback, *top, then);
    if (then) {
      then->below_ = top;
      top = then.release();
    }
  }
}

void FutureStateBase::run_callback(Callback* callback, FutureStateBase& state,
                                   Ref<FutureStateBase>& then) noexcept {
  const std::unique_ptr<Callback> owned(callback);
  try {
    then = owned->run(state);
  } catch (...) {
    report({"conc.future", Severity::error, "A done-callback threw", std::current_exception()});
  }
}

bool FutureStateBase::cancel() noexcept {
  bool prevented = false;
  {
    const std::lock_guard lock(mutex_);
    Word seen = word_.load(std::memory_order_acquire);
    while ((seen & phase_mask) == pending &&
           !word_.compare_exchange_weak(seen, seen | cancelling, std::memory_order_acquire)) {
    }
    switch (seen & phase_mask) {
      case pending:
        prevented = true;
        // Under the mutex, which a worker that meets the job now waits for: so the queue outlives
        // the call. A reference keeps the state while the captures end, which may hold the caller's
        // handle: the queue's, if it was in there.
        if (!withdraw()) add_ref();
        break;
      case cancelling:
      case cancelled:
        return true;
      case running:
        break;
      default:
        return false;
    }
  }
  if (!prevented) {
    request_stop();
    return false;
  }
  discard();
  complete_and_drop_ref(cancelled);
  return true;
}

void FutureStateBase::wait_for_withdrawal() noexcept {
  const std::lock_guard until_the_canceller_is_out(mutex_);
}

FutureStateBase::Word FutureStateBase::store_drop(Drop why) noexcept {
  if (why == Drop::cancelled) return cancelled;
  try {
    throw BrokenExecutor(
        "The executor broke before it ran the task: the initializer of one of its workers threw.");
  } catch (...) {  // or std::bad_alloc, which tells the waiters as much
    store_exception(std::current_exception());
  }
  return error;
}

Job* FutureStateBase::job() noexcept { return nullptr; }
bool FutureStateBase::withdraw() noexcept { return false; }
void FutureStateBase::discard() noexcept {}
bool FutureStateBase::ends_quietly() const noexcept { return true; }
void FutureStateBase::request_stop() noexcept {}

// ---- Waiting

bool FutureStateBase::listen(WaitNode& node) noexcept {
  const std::lock_guard lock(mutex_);
  Word seen = word_.load(std::memory_order_acquire);
  do {
    if (is_done(seen & phase_mask)) return false;
  } while (!word_.compare_exchange_weak(seen, seen | listened, std::memory_order_acquire));
  waiters_.push_back(node);
  return true;
}

bool FutureStateBase::unlisten(WaitNode& node) noexcept {
  const std::lock_guard lock(mutex_);
  if (!node.linked()) return false;
  waiters_.remove(node);
  if (waiters_.empty() && first_ == nullptr) word_.fetch_and(~listened, std::memory_order_relaxed);
  return true;
}

void FutureStateBase::forget(ThreadNode& node) noexcept {
  const bool idle = mutex_.try_lock();
  if (!idle) return;
  mutex_.unlock();
  static_cast<void>(unlisten(node));
}

void FutureStateBase::add_callback(std::unique_ptr<Callback> callback) noexcept {
  {
    const std::lock_guard lock(mutex_);
    Word seen = word_.load(std::memory_order_acquire);
    while (!is_done(seen & phase_mask)) {
      if (word_.compare_exchange_weak(seen, seen | listened, std::memory_order_acquire)) {
        Callback* const last = callback.release();
        (first_ != nullptr ? last_->next_ : first_) = last;
        last_ = last;
        return;
      }
    }
  }
  Ref<FutureStateBase> then;
  run_callback(callback.release(), *this, then);
  if (then) then->run_callbacks();
}

void FutureStateBase::help() noexcept {
  Host* const host = this_host;
  if (host == nullptr || done()) return;
  if (Job* const queued = job()) host->run_now(*queued);
}

void FutureStateBase::wait_in_any_case() {
  Patience endless(forever);
  if (!done()) static_cast<void>(wait_slow(forever, endless, false));
}

bool FutureStateBase::wait_slow(Until until) {
  Patience patience(until);
  return wait_slow(until, patience);
}

bool FutureStateBase::wait_slow(Until until, Patience& patience, bool may_throw) {
  if (patience.none()) return false;
  // A timed wait must end in time, which the job may not.
  if (until.is_timeless() && until.token() == nullptr) help();
  if (spin([this] { return done(); })) return true;
  ThreadNode node({WaitKind::future, this, nullptr});
  if (may_throw) node.may_throw();
  if (!listen(node)) return true;
  const HostWaits host;
  if (node.sleep(patience) == Outcome::woken) return true;
  if (unlisten(node)) {
    node.throw_if_deadlocked();
    return false;
  }
  node.sleep_until_woken();
  return true;
}

}  // namespace conc::detail

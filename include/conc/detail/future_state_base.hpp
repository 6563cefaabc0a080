// FutureStateBase: what the handles of one future share, whatever the type of its result.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/job.hpp>
#include <conc/detail/machine.hpp>
#include <conc/detail/ref.hpp>
#include <conc/detail/waiting.hpp>
#include <conc/until.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <utility>

namespace conc::detail {

class FutureStateBase;

// What is to be done when a future is completed.
class CONC_EXPORT Callback {
 public:
  Callback() noexcept = default;
  Callback(const Callback&) = delete;
  Callback& operator=(const Callback&) = delete;
  virtual ~Callback();

  // Called once, with no lock held, by the thread that completed `state` or found it complete. May
  // throw. Returns a state that it has completed by complete_quietly(), whose own callbacks its
  // caller runs next; or null. So a chain of continuations is run by a loop and needs no stack.
  virtual Ref<FutureStateBase> run(FutureStateBase& state) = 0;

 private:
  friend class FutureStateBase;
  Callback* next_ = nullptr;
};

// The life of a future, without its value. Lives until its last reference is dropped.
class CONC_EXPORT FutureStateBase {
 public:
  // The word: in which phase the future is, two flags, and above bit 32 the number of references,
  // so that a task completes its future and drops its own reference in one step, which then is its
  // last touch of the state.
  //
  //   phase       meaning                                  entered from, by
  //   pending     nothing has happened yet                 constructor
  //   running     the work has begun; too late to cancel   pending: start(), by the worker or the Promise's owner
  //   settling    a thread stores the result               pending, running: claim()
  //   cancelling  a thread that cancels destroys the       pending: cancel(), TaskState::drop()
  //               captures; nothing prevents it now
  //   value       done, with a value                       running, settling: complete()
  //   error       done, with an exception                  the same
  //   cancelled   done, without a result                   cancelling: the same; running: the continuation of a
  //                                                        cancelled future
  //
  //   settling goes back to where it came from when storing the value throws. A phase that is done is never left.
  //
  //   listened    there are waiters or callbacks in the lists. Set under the mutex while the future is not done; cleared
  //               by complete(), which then empties the lists.
  //   taken       the value was moved out by take().
  using Word = std::uint64_t;
  static constexpr Word pending = 0;
  static constexpr Word running = 1;
  static constexpr Word settling = 2;
  static constexpr Word cancelling = 3;
  static constexpr Word value = 4;
  static constexpr Word error = 5;
  static constexpr Word cancelled = 6;
  static constexpr Word phase_mask = 7;
  static constexpr Word listened = 8;
  static constexpr Word taken = 16;
  static constexpr Word one_ref = Word{1} << 32;

  FutureStateBase(const FutureStateBase&) = delete;
  FutureStateBase& operator=(const FutureStateBase&) = delete;

  // ---- References

  void add_ref() noexcept { word_.fetch_add(one_ref, std::memory_order_relaxed); }

  void drop_ref() noexcept {
    if (release_ref()) delete this;
  }

  // ---- Looking

  // Synchronizes, when it says that the future is done, with the completion.
  [[nodiscard]] Word phase() const noexcept {
    return word_.load(std::memory_order_acquire) & phase_mask;
  }
  [[nodiscard]] static constexpr bool is_done(Word phase) noexcept { return phase >= value; }
  [[nodiscard]] bool done() const noexcept { return is_done(phase()); }

  // Whether there is a value, and it has not been taken.
  [[nodiscard]] bool has_value() const noexcept {
    return (word_.load(std::memory_order_acquire) & (phase_mask | taken)) == value;
  }

  // What was thrown. When the phase is `error`.
  [[nodiscard]] const std::exception_ptr& exception() const noexcept { return exception_; }

  // ---- Completing

  // pending -> running, or cancelling; false when the future is in another phase.
  [[nodiscard]] bool start(Word into = running) noexcept {
    Word seen = word_.load(std::memory_order_relaxed);
    while ((seen & phase_mask) == pending) {
      if (word_.compare_exchange_weak(seen, seen | into, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  // The thread that runs the task behind it, for those who ask what everybody waits for; 0 when it
  // is not known. The work of a Promise has none: anybody may complete that.
  [[nodiscard]] ThreadId runner() const noexcept { return runner_.load(std::memory_order_relaxed); }
  void run_by_this_thread() noexcept { runner_.store(this_thread_id, std::memory_order_relaxed); }

  // pending, running -> settling. Returns the phase that was left, or another one, which then was
  // not left.
  [[nodiscard]] Word claim() noexcept {
    Word seen = word_.load(std::memory_order_relaxed);
    while ((seen & phase_mask) <= running) {
      if (word_.compare_exchange_weak(seen, (seen & ~phase_mask) | settling,
                                      std::memory_order_acquire, std::memory_order_relaxed)) {
        break;
      }
    }
    return seen & phase_mask;
  }

  // settling -> the phase that claim() left.
  void unclaim(Word left) noexcept { word_.fetch_add(left - settling, std::memory_order_release); }

  // Into a phase that is done: wakes the waiters and runs the callbacks. By the thread that
  // started, claimed or cancels it, which has stored the result before, with no lock held. Drops
  // the caller's reference when asked to.
  void complete(Word phase) noexcept { finish(phase, 0); }
  void complete_and_drop_ref(Word phase) noexcept { finish(phase, one_ref); }

  // The same, but leaves the callbacks to the caller's caller; see Callback::run.
  void complete_quietly(Word phase) noexcept;

  // A continuation's way out: completes as `source` did, with the same exception or cancelled.
  // Quietly.
  void complete_as(FutureStateBase& source) noexcept {
    const Word how = source.phase();
    if (how == error) store_exception(source.exception());
    complete_quietly(how);
  }

  void store_exception(std::exception_ptr exception) noexcept { exception_ = std::move(exception); }

  // Future::cancel().
  bool cancel() noexcept;

  // ---- Waiting

  // Returns when the future is done. Throws std::bad_alloc at the thread's first contact with the
  // library.
  void wait() {
    if (!done()) [[unlikely]]
      static_cast<void>(wait_slow(forever));
  }
  [[nodiscard]] bool wait(Until until) { return done() || wait_slow(until); }

  // The same, by a call that must not end before: a deadlock is reported, and not thrown.
  void wait_in_any_case();

  // The same, as a part of a longer wait: the deadline is kept in `patience`, which was made from
  // `until`.
  [[nodiscard]] bool wait(Until until, Patience& patience) {
    return done() || wait_slow(until, patience);
  }

  // Puts a node into the list of waiters, to be woken when the future is done; false when it is
  // done already.
  [[nodiscard]] bool listen(WaitNode& node) noexcept;

  // Takes it off again; false when it was taken off by the completion, which wakes it.
  [[nodiscard]] bool unlisten(WaitNode& node) noexcept;

  // See forget_sleeper().
  void forget(ThreadNode& node) noexcept;

  // Runs `callback` when the future is done; at once when it is. What it throws goes to report().
  void add_callback(std::unique_ptr<Callback> callback) noexcept;

  // Tries to make the future complete by work in this thread: runs the job behind it when that is
  // still queued for the executor whose worker calls. Called before a worker waits as long as it
  // takes.
  void help() noexcept;

 protected:
  explicit FutureStateBase(Word references) noexcept : word_(references) {}
  virtual ~FutureStateBase();

  // ---- What a state does in its own way, most of it if it was made by an executor

  // The job that is to complete it, or null.
  [[nodiscard]] virtual Job* job() noexcept;

  // cancel() has prevented the work. First, under the mutex: takes the job off its queue, true if
  // it was in there, and the queue's reference is now the caller's. Then, with no lock held:
  // destroys the captures.
  [[nodiscard]] virtual bool withdraw() noexcept;
  virtual void discard() noexcept;

  // Whether the end of the value calls nothing of the user's.
  [[nodiscard]] virtual bool ends_quietly() const noexcept;

  // cancel() came too late: asks the work to stop.
  virtual void request_stop() noexcept;

  // Stores what a job ends with that is never run. Returns the phase to complete with.
  Word store_drop(Drop why) noexcept;

  // Waits until a cancel() that has prevented the work, but is not complete, has let go of the
  // job's queue.
  void wait_for_withdrawal() noexcept;

 private:
  friend struct Inspect;

  // True when it was the last: the state is the caller's to delete.
  [[nodiscard]] bool release_ref() noexcept {
    // The only holder needs no read-modify-write: nobody is left to race with.
    return word_.load(std::memory_order_acquire) < 2 * one_ref ||
           word_.fetch_sub(one_ref, std::memory_order_acq_rel) < 2 * one_ref;
  }

  CONC_COLD bool wait_slow(Until until);
  CONC_COLD bool wait_slow(Until until, Patience& patience, bool may_throw = true);
  CONC_COLD void finish_slow(Word phase, Word dropped) noexcept;
  CONC_COLD void delete_unheard() noexcept;
  void publish(Word phase, WakeChain& woken) noexcept;
  void run_callbacks() noexcept;
  static void run_callback(Callback* callback, FutureStateBase& state,
                           Ref<FutureStateBase>& then) noexcept;

  void finish(Word phase, Word dropped) noexcept {
    Word seen = word_.load(std::memory_order_relaxed);
    while ((seen & listened) == 0) {
      const Word next = ((seen & ~phase_mask) | phase) - dropped;
      if (word_.compare_exchange_weak(seen, next, std::memory_order_acq_rel,
                                      std::memory_order_relaxed)) {
        if (next < one_ref) delete_unheard();
        return;
      }
    }
    finish_slow(phase, dropped);
  }

 protected:
  Atomic<Word> word_;

 private:
  mutable Mutex mutex_;
  WaitList waiters_;           // guarded by mutex_, until the future is done
  Callback* first_ = nullptr;  // guarded by mutex_; from the completion on, its thread's own
  Callback* last_ = nullptr;
  FutureStateBase* below_ = nullptr;  // the completing thread's own, see run_callbacks
  std::exception_ptr exception_;      // written before the completion, constant after it
  Atomic<ThreadId> runner_{0};
};

}  // namespace conc::detail

// Future: a result that is not there yet.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/continuation.hpp>
#include <conc/detail/future_access.hpp>
#include <conc/detail/future_state.hpp>
#include <conc/detail/ref.hpp>
#include <conc/errors.hpp>
#include <conc/until.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace conc {

class Executor;
template <class T>
class Promise;

namespace detail {

[[noreturn]] CONC_COLD CONC_EXPORT void throw_no_state();
[[noreturn]] CONC_COLD CONC_EXPORT void throw_gave_up(Until until);
[[noreturn]] CONC_COLD CONC_EXPORT void throw_cancelled();
[[noreturn]] CONC_COLD CONC_EXPORT void throw_taken();

}  // namespace detail

// A handle to a result that somebody else makes: the task of an executor, or the owner of a
// Promise. Copies are handles to the same result, and any thread may use its own copy while others
// use theirs.
//
//   conc::Future<int> answer = pool.submit([] { return 6 * 7; });
//   answer.result();                                                    // 42
//
// A future is pending, then running, then done for ever: with a value, with an exception, or
// cancelled.
//
//   pending --> running --> done (value or exception)
//      '------- cancel() -> done (cancelled)
//
// A future whose work can never end, because the Promise is gone or the executor is broken, is
// completed with an exception: no waiter ever hangs. A task of a ThreadPoolExecutor may wait for
// another task of the same pool: if that is still queued, it is run right there by the waiting
// thread, so a pool cannot deadlock on its own futures.
//
// T may be void, a reference, and a type that cannot be copied. 8 bytes.
//
// Python: concurrent.futures.Future
template <class T>
class Future {
  static_assert(std::is_void_v<T> || std::is_lvalue_reference_v<T> ||
                    (std::is_object_v<T> && !std::is_array_v<T> && !std::is_const_v<T>),
                "Future<T>: T is void, an lvalue reference, or an object type that is neither "
                "const nor an array.");
  static constexpr bool is_object = std::is_object_v<T>;

 public:
  using Value = T;

  // What result() returns: const T&, T for a reference, or void.
  using Result = std::conditional_t<is_object, std::add_lvalue_reference_t<std::add_const_t<T>>, T>;

  // A handle to nothing: valid() is false, and every other call throws UsageError.
  constexpr Future() noexcept = default;

  // Returns the value. Blocks until the future is done. The reference is good for as long as a
  // handle to this future lives, so the result of a temporary is to be copied, or moved out by
  // take().
  // Throws: the exception that the work ended with, the same object each time; CancelledError when
  // it was cancelled; UsageError when the value was taken; DeadlockError if on_deadlock() asks for
  // it, of this call and not of the work.
  // Synchronizes: with what the work did.
  // Cost: one atomic load when it is done.
  // Python: result()
  Result result() const CONC_LIFETIMEBOUND {
    detail::FutureState<T>& state = access();
    state.wait();
    return get(state);
  }

  // The same, but gives up as `until` says.
  // Throws also: TimeoutError when the time was up; Stopped when the token was triggered.
  // Python: result(timeout)
  Result result(Until until) const CONC_LIFETIMEBOUND {
    detail::FutureState<T>& state = access();
    if (!state.wait(until)) detail::throw_gave_up(until);
    return get(state);
  }

  // Moves the value out, once; after that, result() of every handle throws UsageError. Blocks until
  // the future is done. The only way to the value of a type that cannot be copied.
  // `std::move(future).take()`.
  // Throws: as result(). Not synchronized with a result() of another thread that still looks at the
  // value.
  // Python: none; there every value is shared.
  T take() && {
    detail::FutureState<T>& state = access();
    state.wait();
    if constexpr (is_object) {
      static_cast<void>(get(state));  // throws when there is no value
      if (!state.take()) detail::throw_taken();
      return std::move(state.get());
    } else {
      return get(state);
    }
  }

  // The exception that the work ended with, null when it ended with a value. Blocks until the
  // future is done.
  // Throws: CancelledError when it was cancelled; with an Until, TimeoutError and Stopped.
  // Python: exception()
  [[nodiscard]] std::exception_ptr exception() const {
    access().wait();
    return get_exception();
  }
  [[nodiscard]] std::exception_ptr exception(Until until) const {
    if (!access().wait(until)) detail::throw_gave_up(until);
    return get_exception();
  }

  // Returns when the future is done. With an Until, gives up as that says; false then.
  // Throws: nothing of what the work threw; DeadlockError if on_deadlock() asks for it;
  // std::bad_alloc at the thread's first contact with the library.
  // Synchronizes: with what the work did.
  void wait() const { access().wait(); }
  [[nodiscard]] bool wait(Until until) const { return access().wait(until); }

  // Prevents the work if it has not begun: the task is taken off its queue, its callable is
  // destroyed, everyone who waits is woken, the callbacks are run by this thread, and the future is
  // done. True then, or when it was cancelled before. False when it is done or runs; a running task
  // that takes a std::stop_token is asked to stop. Never blocks but for what destructors, callbacks
  // and stop callbacks do.
  // Python: cancel(). Unlike there, a cancelled future is done at once, not when a worker comes
  // across it.
  bool cancel() const { return access().cancel(); }

  // Whether it was cancelled. True as soon as cancel() has prevented the work.
  // Python: cancelled()
  [[nodiscard]] bool cancelled() const {
    const auto phase = access().phase();
    return phase == detail::FutureStateBase::cancelled ||
           phase == detail::FutureStateBase::cancelling;
  }

  // Whether the work has begun and has not ended.
  // Python: running()
  [[nodiscard]] bool running() const {
    const auto phase = access().phase();
    return phase == detail::FutureStateBase::running || phase == detail::FutureStateBase::settling;
  }

  // Whether there is a value or an exception, or it was cancelled.
  // Synchronizes: when true, with what the work did.
  // Python: done()
  [[nodiscard]] bool done() const { return access().done(); }

  // Whether this is a handle to anything.
  [[nodiscard]] bool valid() const noexcept { return static_cast<bool>(state_); }

  // Calls f(Future<T>) once when the future is done: by the thread that completes or cancels it,
  // after the waiters have been woken; at once, by this thread, when it is done already. Callbacks
  // are called in the order added, with no lock held, so they may do anything with this future and
  // others. One that throws is reported to the channel conc.future, and the others are still
  // called. Each is destroyed when it has returned. Never blocks, but for what a callback does that
  // is called at once.
  // Throws: std::bad_alloc, and what copying f throws; nothing was added then.
  // Cost: one allocation.
  // Python: add_done_callback(fn)
  template <class F>
  requires std::invocable<std::decay_t<F>, Future>
  void add_done_callback(F&& f) const {
    access().add_callback(std::make_unique<DoneCallback<std::decay_t<F>>>(std::forward<F>(f)));
  }

  // A future for what `f` makes of this one: f(const T&), which is called when there is a value
  // (f() if T is void), or f(Future<T>), which is called in any case. Without a value, a
  // continuation of the first kind is not called: its future ends as this one did, with the same
  // exception, or cancelled. `f` is called as a done-callback is. Cancelling the new future before
  // `f` is called prevents the call, and does not cancel this one.
  // Cost: two allocations.
  // Python: none.
  template <class F>
  auto then(F&& f) const -> Future<detail::continued_result<std::decay_t<F>, T>> {
    using Next = detail::InlineContinuation<std::decay_t<F>, T>;
    State& state = access();
    auto [future, task] =
        detail::FutureAccess::make_task<typename Next::Task>(std::forward<F>(f), *this);
    state.add_callback(std::make_unique<Next>(std::move(task)));
    return future;
  }

  // The same, but `f` is called by a worker of the executor, which must outlive this future's work.
  // If the executor takes no more tasks by then, the new future ends with what submit() throws.
  template <class F>
  auto then(Executor& executor, F&& f) const
      -> Future<detail::continued_result<std::decay_t<F>, T>> {
    using Next = detail::QueuedContinuation<std::decay_t<F>, T>;
    State& state = access();
    auto [future, task] =
        detail::FutureAccess::make_task<typename Next::Task>(std::forward<F>(f), *this);
    state.add_callback(std::make_unique<Next>(executor, std::move(task)));
    return future;
  }

  // Whether both are handles to the same result.
  friend bool operator==(const Future& a, const Future& b) noexcept {
    return a.state_.get() == b.state_.get();
  }

 private:
  friend struct detail::FutureAccess;
  friend class Promise<T>;

  using State = detail::FutureState<T>;

  explicit Future(detail::Ref<State> state) noexcept : state_(std::move(state)) {}

  State& access() const {
    if (!state_) [[unlikely]]
      detail::throw_no_state();
    return *state_;
  }

  // Of a future that is done.
  Result get(State& state) const {
    if (!state.has_value()) [[unlikely]]
      throw_no_value(state);
    if constexpr (!std::is_void_v<T>) return state.get();
  }
  [[noreturn]] CONC_COLD static void throw_no_value(State& state) {
    const auto phase = state.phase();
    if (phase == State::error) std::rethrow_exception(state.exception());
    if (phase == State::cancelled) detail::throw_cancelled();
    detail::throw_taken();
  }

  std::exception_ptr get_exception() const {
    const auto phase = state_->phase();
    if (phase == State::cancelled) detail::throw_cancelled();
    return phase == State::error ? state_->exception() : std::exception_ptr();
  }

  static Future of(detail::FutureStateBase& state) noexcept {
    return Future(detail::Ref<State>::share(static_cast<State*>(&state)));
  }

  template <class F>
  class DoneCallback final : public detail::Callback {
   public:
    template <class G>
    explicit DoneCallback(G&& f) : f_(std::forward<G>(f)) {}
    ~DoneCallback() noexcept override = default;
    detail::Ref<detail::FutureStateBase> run(detail::FutureStateBase& state) override {
      static_cast<void>(std::invoke(std::move(f_), of(state)));
      return {};
    }

   private:
    F f_;
  };

  detail::Ref<State> state_;
};

}  // namespace conc

// Futures are keys of unordered containers. As for ==, it matters which result they are handles to,
// not what that is.
// Python: {future: name}
template <class T>
struct std::hash<conc::Future<T>> {
  std::size_t operator()(const conc::Future<T>& future) const noexcept {
    return std::hash<const void*>()(conc::detail::FutureAccess::identity(future));
  }
};

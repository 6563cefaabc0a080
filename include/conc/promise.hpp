// Promise: the side of a future that makes the result.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/future_access.hpp>
#include <conc/detail/future_state.hpp>
#include <conc/errors.hpp>
#include <conc/future.hpp>

#include <concepts>
#include <exception>
#include <functional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace conc {

namespace detail {

[[noreturn]] CONC_COLD CONC_EXPORT void throw_already_done(const char* call);
[[noreturn]] CONC_COLD CONC_EXPORT void throw_already_running();
[[noreturn]] CONC_COLD CONC_EXPORT void throw_moved_promise();
[[noreturn]] CONC_COLD CONC_EXPORT void throw_null_exception();

// What a Promise<T> can make its result of. A reference is made of nothing that would bind it to a
// temporary: just that is what std::reference_wrapper refuses.
template <class U, class T>
concept result_for = (std::is_object_v<T> && std::is_constructible_v<T, U>) ||
                     (std::is_lvalue_reference_v<T> &&
                      std::convertible_to<U, std::reference_wrapper<std::remove_reference_t<T>>>);

// Completes the future with BrokenPromise if nothing else has.
CONC_COLD CONC_EXPORT void break_promise(FutureStateBase& state) noexcept;

}  // namespace detail

// For whoever makes a result by other means than a task of an executor: a callback of another
// library, an actor, a test.
//
//   conc::Promise<int> promise;
//   conc::Future<int> future = promise.future();
//   std::thread([promise = std::move(promise)]() mutable { promise.set_result(42); }).detach();
//   future.result();
//
// The result may be set once. A promise that is destroyed before completes its future with
// BrokenPromise. Moved, not copied; one thread at a time may use it, while any thread uses the
// futures. Whoever sees the result may destroy it, although set_result() is still on its way out.
//
// Python: the executor's side of concurrent.futures.Future
template <class T>
class Promise {
  using State = detail::FutureState<T>;

 public:
  // Cost: one allocation, that of the future.
  Promise() : state_(detail::Ref<State>::adopt(new State(2 * State::one_ref))) {}

  Promise(Promise&& other) noexcept
      : state_(std::move(other.state_)), has_future_(std::exchange(other.has_future_, false)) {}
  Promise& operator=(Promise&& other) noexcept {
    Promise(std::move(other)).swap(*this);
    return *this;
  }

  // Completes the future with BrokenPromise when it is not done.
  ~Promise() {
    if (!state_) return;
    if (!state_->done()) detail::break_promise(*state_);
    if (has_future_) state_->drop_ref();
  }

  void swap(Promise& other) noexcept {
    std::swap(state_, other.state_);
    std::swap(has_future_, other.has_future_);
  }

  // A handle to the future. May be called any number of times.
  // Throws: UsageError when the promise was moved from.
  [[nodiscard]] Future<T> future() {
    State& state = access();
    // The first future takes the reference that the promise was made with.
    if (!std::exchange(has_future_, false)) state.add_ref();
    return detail::FutureAccess::handle(detail::Ref<State>::adopt(&state));
  }

  // Says that the work begins, so that it cannot be cancelled any more: true. False when it has
  // been cancelled, and there is nothing to do.
  // Throws: InvalidStateError when it is running or done.
  // Python: set_running_or_notify_cancel()
  [[nodiscard]] bool set_running_or_notify_cancel() {
    State& state = access();
    if (state.start()) return true;
    const auto phase = state.phase();
    if (phase == State::cancelled || phase == State::cancelling) return false;
    if (phase == State::running) detail::throw_already_running();
    detail::throw_already_done("set_running_or_notify_cancel");
  }

  // Completes the future with a value made from `value`; with nothing for Promise<void>; for a
  // reference with what `value` refers to, which must not be a temporary. Wakes the waiters and
  // runs the callbacks. Never blocks, but for what the callbacks do.
  // Throws: InvalidStateError when the future is done, cancelled included; what making the value
  // throws. Nothing was changed then.
  // Synchronizes: with every call on a future that finds it done.
  // Cost: two atomic read-modify-writes when nobody waits.
  // Python: set_result(result)
  template <detail::result_for<T> U = std::remove_cvref_t<T>>
  void set_result(U&& value) {
    set([&](State& state) noexcept(std::is_reference_v<T> ? std::is_nothrow_convertible_v<U, T>
                                                          : std::is_nothrow_constructible_v<T, U>) {
      state.emplace(std::forward<U>(value));
    });
  }
  void set_result() requires std::is_void_v<T> {
    set([](State&) noexcept {});
  }

  // Completes the future with an exception, which result() throws.
  // Throws: InvalidStateError as set_result(); std::invalid_argument when `exception` is null.
  // Python: set_exception(exception)
  void set_exception(std::exception_ptr exception) {
    if (!exception) detail::throw_null_exception();
    State& state = access();
    if (state.claim() > State::running) detail::throw_already_done("set_exception");
    state.store_exception(std::move(exception));
    state.complete(State::error);
  }

 private:
  State& access() const {
    if (!state_) [[unlikely]]
      detail::throw_moved_promise();
    return *state_;
  }

  template <class Store>
  void set(Store store) {
    State& state = access();
    const auto before = state.claim();
    if (before > State::running) [[unlikely]]
      detail::throw_already_done("set_result");
    if constexpr (noexcept(store(state))) {
      store(state);
    } else {
      try {
        store(state);
      } catch (...) {
        state.unclaim(before);
        throw;
      }
    }
    state.complete(State::value);
  }

  detail::Ref<State> state_;
  bool has_future_ = true;  // the reference of the first future is still here
};

}  // namespace conc

// TaskState: a future and the call that makes its result, in one block of memory.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/carried.hpp>
#include <conc/detail/future_state.hpp>
#include <conc/detail/job.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>

namespace conc::detail {

// A callable and its arguments, decay-copied. Called once, with or without a stop token in front.
template <class F, class... Args>
class BoundCall {
 public:
  template <class G, class... Gs>
  explicit BoundCall(std::in_place_t, G&& f, Gs&&... args)
      : f_(std::forward<G>(f)), args_(std::forward<Gs>(args)...) {}

  decltype(auto) operator()() && requires std::invocable<F, Args...> {
    return std::apply(std::move(f_), std::move(args_));
  }
  decltype(auto) operator()(std::stop_token token) && requires
      std::invocable<F, std::stop_token, Args...> {
    return std::apply(std::move(f_), std::tuple_cat(std::tuple<std::stop_token>(std::move(token)),
                                                    std::move(args_)));
  }

 private:
  [[no_unique_address]] F f_;
  [[no_unique_address]] std::tuple<Args...> args_;
};

template <class F>
inline constexpr bool takes_stop_token = std::invocable<F, std::stop_token>;

template <class F>
struct ResultOf : std::invoke_result<F> {};
template <class F>
requires takes_stop_token<F>
struct ResultOf<F> : std::invoke_result<F, std::stop_token> {
};

// What a call of F returns, given a stop token when it takes one.
template <class F>
using result_of = typename ResultOf<F>::type;

// The callable is destroyed before the future completes, whichever way it does. One allocation, and
// the one of std::stop_source when F takes a stop token.
template <class F>
class TaskState final : public FutureState<std::remove_cv_t<result_of<F>>>, public Job {
  using Base = FutureState<std::remove_cv_t<result_of<F>>>;
  using Word = FutureStateBase::Word;

 public:
  using Result = std::remove_cv_t<result_of<F>>;
  static_assert(!std::is_rvalue_reference_v<Result>, "A task must not return an rvalue reference.");

  // With two references: the future's, and that of the executor or whoever else is to run it.
  template <class... Args>
  explicit TaskState(Args&&... args)
      : Base(2 * FutureStateBase::one_ref), callable_(std::forward<Args>(args)...) {}

  // ---- By the executor, which gives its reference up

  Ended run() noexcept override {
    if (!this->start()) return skip();
    const Word phase = call();
    before_completion(phase == FutureStateBase::error);
    this->complete_and_drop_ref(phase);
    return phase == FutureStateBase::value ? Ended::done : Ended::failed;
  }

  void drop(Drop why) noexcept override {
    if (!this->start(why == Drop::cancelled ? FutureStateBase::cancelling
                                            : FutureStateBase::running)) {
      static_cast<void>(skip());
      return;
    }
    std::destroy_at(std::addressof(callable_));
    this->complete_and_drop_ref(this->store_drop(why));
  }

  // ---- By a continuation, which keeps its reference: each completes the future quietly, and is
  // false when that was cancelled before

  bool run_quietly() noexcept {
    if (!this->start()) return false;
    this->complete_quietly(call());
    return true;
  }

  // Without the call, as `source` ended.
  bool follow_quietly(FutureStateBase& source) noexcept {
    if (!this->start()) return false;
    std::destroy_at(std::addressof(callable_));
    this->complete_as(source);
    return true;
  }

  // Without the call.
  bool fail_quietly(std::exception_ptr exception) noexcept {
    if (!this->start()) return false;
    std::destroy_at(std::addressof(callable_));
    this->store_exception(std::move(exception));
    this->complete_quietly(FutureStateBase::error);
    return true;
  }

 protected:
  ~TaskState() noexcept override {
    // Never given to an executor.
    if ((this->word_.load(std::memory_order_relaxed) & FutureStateBase::phase_mask) ==
        FutureStateBase::pending) {
      std::destroy_at(std::addressof(callable_));
    }
  }

 private:
  struct NoStop {};
  using Stop = std::conditional_t<takes_stop_token<F>, std::stop_source, NoStop>;

  // Makes the result and destroys the callable. Returns the phase to complete with.
  Word call() noexcept {
    this->run_by_this_thread();
    const Word phase = call_as_submitted();
    carried_.reset();
    return phase;
  }

  Word call_as_submitted() noexcept {
    const Carried::Scope scope(carried_);
    Word phase = FutureStateBase::value;
    try {
      if constexpr (std::is_void_v<Result>) {
        invoke();
        this->emplace();
      } else if constexpr (std::is_reference_v<Result>) {
        this->emplace(invoke());
      } else {
        this->emplace_from([this]() -> decltype(auto) { return invoke(); });
      }
    } catch (...) {
      this->store_exception(std::current_exception());
      phase = FutureStateBase::error;
    }
    std::destroy_at(std::addressof(callable_));
    return phase;
  }

  decltype(auto) invoke() {
    if constexpr (takes_stop_token<F>) {
      return std::invoke(std::move(callable_), stop_.get_token());
    } else {
      return std::invoke(std::move(callable_));
    }
  }

  // It was cancelled. Whoever did that may still be at the queue, which must not go away under its
  // hands.
  Ended skip() noexcept {
    this->wait_for_withdrawal();
    this->drop_ref();
    return Ended::skipped;
  }

  Job* job() noexcept override { return this; }
  bool withdraw() noexcept override { return withdraw_job(*this); }
  void discard() noexcept override { std::destroy_at(std::addressof(callable_)); }
  void request_stop() noexcept override {
    if constexpr (takes_stop_token<F>) stop_.request_stop();
  }

  Carried carried_;
  [[no_unique_address]] Stop stop_;
  union {
    F callable_;
  };
};

}  // namespace conc::detail

// Continuation: the call that Future::then() adds to a future, and who makes it.
#pragma once

#include <conc/detail/future_state_base.hpp>
#include <conc/detail/job.hpp>
#include <conc/detail/ref.hpp>
#include <conc/detail/task_state.hpp>

#include <concepts>
#include <exception>
#include <functional>
#include <type_traits>
#include <utility>

namespace conc {

class Executor;
template <class T>
class Future;

namespace detail {

// Whether a continuation takes the value, and is left out when there is none; or the future.
template <class F, class T>
inline constexpr bool takes_value = std::invocable<F, const T&>;
template <class F, class T>
inline constexpr bool takes_value<F, T&> = std::invocable<F, T&>;
template <class F>
inline constexpr bool takes_value<F, void> = std::invocable<F>;

// The call of a continuation.
template <class F, class T>
class Continuation {
 public:
  template <class G>
  Continuation(G&& f, Future<T> source) : f_(std::forward<G>(f)), source_(std::move(source)) {}

  decltype(auto) operator()() && {
    if constexpr (!takes_value<F, T>) {
      return std::invoke(std::move(f_), std::move(source_));
    } else if constexpr (std::is_void_v<T>) {
      return std::invoke(std::move(f_));
    } else {
      return std::invoke(std::move(f_), source_.result());
    }
  }

 private:
  [[no_unique_address]] F f_;
  Future<T> source_;
};

template <class F, class T>
using continued_result = std::remove_cv_t<result_of<Continuation<F, T>>>;

// Calls `f` in the thread that completes the source.
template <class F, class T>
class InlineContinuation final : public Callback {
 public:
  using Task = TaskState<Continuation<F, T>>;
  explicit InlineContinuation(Ref<Task> task) noexcept : task_(std::move(task)) {}

  Ref<FutureStateBase> run(FutureStateBase& source) override {
    const bool call = !takes_value<F, T> || source.phase() == FutureStateBase::value;
    if (!(call ? task_->run_quietly() : task_->follow_quietly(source))) return {};
    return std::move(task_);
  }

 private:
  Ref<Task> task_;
};

// Gives the call to an executor.
template <class F, class T>
class QueuedContinuation final : public Callback {
 public:
  using Task = TaskState<Continuation<F, T>>;
  QueuedContinuation(Executor& executor, Ref<Task> task) noexcept
      : executor_(executor), task_(std::move(task)) {}

  Ref<FutureStateBase> run(FutureStateBase& source) override {
    if (takes_value<F, T> && source.phase() != FutureStateBase::value) {
      if (!task_->follow_quietly(source)) return {};
      return std::move(task_);
    }
    JobChain jobs(*task_);
    try {
      enqueue(executor_, jobs);
    } catch (...) {
      if (!task_->fail_quietly(std::current_exception())) return {};
      return std::move(task_);
    }
    static_cast<void>(task_.release());  // the executor's now
    return {};
  }

 private:
  Executor& executor_;
  Ref<Task> task_;
};

}  // namespace detail
}  // namespace conc

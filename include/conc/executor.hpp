// Executor: something that runs calls, and hands out futures of their results.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/job.hpp>
#include <conc/detail/task_state.hpp>
#include <conc/errors.hpp>
#include <conc/future.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>

namespace conc {

namespace detail {

// What is stored of a call: the callable alone when there are no arguments.
template <class F, class... Args>
struct StoredCall {
  using type = BoundCall<std::decay_t<F>, std::decay_t<Args>...>;
};
template <class F>
struct StoredCall<F> {
  using type = std::decay_t<F>;
};
template <class F, class... Args>
using stored_call = typename StoredCall<F, Args...>::type;

// A call f(args...), or f(token, args...), on decayed copies.
template <class F, class... Args>
concept submittable =
    std::invocable<std::decay_t<F>, std::decay_t<Args>...> ||
    std::invocable<std::decay_t<F>, std::stop_token, std::decay_t<Args>...>;

template <class F, class... Args>
using submit_result = std::remove_cv_t<result_of<stored_call<F, Args...>>>;

}  // namespace detail

// The one interface for everything that runs calls: a pool of threads today; processes, coroutines and ranks of a cluster
// have the same submit(), map() and futures. What a class of executors does in its own way is behind two virtual
// functions, which see calls without types.
//
// Any thread may use an executor, its own tasks included.
//
// Python: concurrent.futures.Executor
class CONC_EXPORT Executor {
 public:
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor();

  // Lets f(args...) be called, as std::invoke does, on copies of `f` and the arguments that are made here and moved into
  // the call; and returns a future of what it returns. `f` may be a member function, and need not be copyable. When `f`
  // takes a std::stop_token in front of the arguments, cancel() of the running task triggers it. The copies are destroyed
  // before the future is done.
  // Throws: UsageError after shutdown(), and what the class of executors says; what copying throws. Nothing was submitted
  // then.
  // Synchronizes: the call comes after everything that this thread did before.
  // Cost: one allocation; one more when `f` takes a std::stop_token.
  // Python: submit(fn, *args)
  template <class F, class... Args>
    requires detail::submittable<F, Args...>
  auto submit(F&& f, Args&&... args) -> Future<detail::submit_result<F, Args...>> {
    using Task = detail::TaskState<detail::stored_call<F, Args...>>;
    auto [future, task] = [&] {
      if constexpr (sizeof...(Args) == 0) {
        return detail::FutureAccess::make_task<Task>(std::forward<F>(f));
      } else {
        return detail::FutureAccess::make_task<Task>(std::in_place, std::forward<F>(f),
                                                     std::forward<Args>(args)...);
      }
    }();
    detail::JobChain jobs(*task);
    enqueue(jobs);
    static_cast<void>(task.release());  // the executor's now
    return std::move(future);
  }

  // The same without a future. What the call throws goes to report(), channel conc.future. A call that shutdown() with
  // cancel_futures drops is destroyed without a word.
  // Cost: no allocation in the steady state for a callable of up to 64 bytes that moves without throwing.
  // Python: submit(fn, *args) with the result thrown away.
  template <class F, class... Args>
    requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
  void post(F&& f, Args&&... args) {
    detail::PostJob& job = [&]() -> detail::PostJob& {
      if constexpr (sizeof...(Args) == 0) {
        return detail::PostJob::make(std::forward<F>(f));
      } else {
        return detail::PostJob::make(detail::BoundCall<std::decay_t<F>, std::decay_t<Args>...>(
            std::in_place, std::forward<F>(f), std::forward<Args>(args)...));
      }
    }();
    give(job);
  }

  // Takes no more calls; those that were taken are still run, unless `cancel_futures` is set, which cancels every call
  // that has not begun. With `wait`, blocks until all is done and the executor's resources are freed. May be called again,
  // with other arguments. A task of the executor may call it, and is not waited for.
  // Python: shutdown(wait=True, *, cancel_futures=False)
  void shutdown(bool wait = true, bool cancel_futures = false) { close(wait, cancel_futures); }

 protected:
  Executor() = default;

 private:
  friend void detail::enqueue(Executor& executor, detail::JobChain& jobs);

  // Takes the jobs over, to call run() or drop() of each once. Throws UsageError after close(), and what the class says
  // when it cannot; it has taken none of the jobs then.
  virtual void enqueue(detail::JobChain& jobs) = 0;

  // shutdown().
  virtual void close(bool wait, bool cancel_futures) = 0;

  // Enqueues it, and destroys it when that throws.
  void give(detail::PostJob& job);
};

}  // namespace conc

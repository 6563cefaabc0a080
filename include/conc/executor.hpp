// Executor: something that runs calls, and hands out futures of their results.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/future_access.hpp>
#include <conc/detail/job.hpp>
#include <conc/detail/task_state.hpp>
#include <conc/errors.hpp>
#include <conc/future.hpp>
#include <conc/map_range.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <ranges>
#include <stdexcept>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <vector>

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
concept submittable = std::invocable<std::decay_t<F>, std::decay_t<Args>...> ||
    std::invocable<std::decay_t<F>, std::stop_token, std::decay_t<Args>...>;

template <class F, class... Args>
using submit_result = std::remove_cv_t<result_of<stored_call<F, Args...>>>;

}  // namespace detail

// The one interface for everything that runs calls: a pool of threads today; processes, coroutines
// and ranks of a cluster have the same submit(), map() and futures. What a class of executors does
// in its own way is behind two virtual functions, which see calls without types.
//
// Any thread may use an executor, its own tasks included.
//
// Python: concurrent.futures.Executor
class CONC_EXPORT Executor {
 public:
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor();

  // Lets f(args...) be called, as std::invoke does, on copies of `f` and the arguments that are
  // made here and moved into the call; and returns a future of what it returns. `f` may be a member
  // function, and need not be copyable. When `f` takes a std::stop_token in front of the arguments,
  // cancel() of the running task triggers it. The copies are destroyed before the future is done.
  // Throws: UsageError after shutdown(), and what the class of executors says; what copying throws.
  // Nothing was submitted then.
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

  // The same without a future. What the call throws goes to report(), channel conc.future. A call
  // that shutdown() with cancel_futures drops is destroyed without a word.
  // Cost: no allocation in the steady state for a call of up to 80 bytes; one when something goes
  // along with it, see CarryHook.
  // Python: submit(fn, *args) with the result thrown away.
  template <class F, class... Args>
  requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
  void post(F&& f, Args&&... args) {
    using Call = detail::stored_call<F, Args...>;
    auto& job = [&]() -> detail::PostJob<Call>& {
      if constexpr (sizeof...(Args) == 0) {
        return detail::PostJob<Call>::make(std::forward<F>(f));
      } else {
        return detail::PostJob<Call>::make(
            Call(std::in_place, std::forward<F>(f), std::forward<Args>(args)...));
      }
    }();
    give(job);
  }

  // Submits f(x) for each x of a range, all at once: none of the calls begins before all are made,
  // and the executor is entered once. `f` and the values are copied for each call.
  // Throws: as submit(); none was submitted then.
  // Cost: one allocation for each call, and those of the vector.
  // Python: [submit(fn, x) for x in iterable]
  template <class F, std::ranges::input_range Range>
  requires detail::submittable<F&, std::ranges::range_value_t<Range>>
  auto submit_each(F&& f, Range&& range)
      -> std::vector<Future<detail::submit_result<F&, std::ranges::range_value_t<Range>>>> {
    using Task = detail::TaskState<detail::stored_call<F&, std::ranges::range_value_t<Range>>>;
    std::vector<Future<typename Task::Result>> futures;
    std::vector<detail::Ref<Task>> tasks;
    if constexpr (std::ranges::sized_range<Range>) {
      futures.reserve(static_cast<std::size_t>(std::ranges::size(range)));
      tasks.reserve(static_cast<std::size_t>(std::ranges::size(range)));
    }
    for (auto&& x : range) {
      auto [future, task] =
          detail::FutureAccess::make_task<Task>(std::in_place, f, std::forward<decltype(x)>(x));
      futures.push_back(std::move(future));
      tasks.push_back(std::move(task));
    }
    detail::JobChain jobs;
    for (const auto& task : tasks) jobs.push_back(*task);
    if (!jobs.empty()) enqueue(jobs);
    for (auto& task : tasks) static_cast<void>(task.release());  // the executor's now
    return futures;
  }

  // Calls f(x, y, ...) for the values of one range or several, up to the end of the shortest, and
  // returns a range of the results, in order, to go through once:
  //
  //   for (const auto& page : pool.map(fetch, urls)) ...
  //
  // The calls are submitted here, or with `buffersize` as the results are looked at. There is one
  // copy of `f`, which the calls share, and which must be callable as a constant; values are
  // copied. Going through the range waits for each result, and throws what its call threw;
  // TimeoutError or Stopped as `timeout` says. Leaving the range before its end, once begun,
  // cancels the calls that have not begun; a range that nobody looks at cancels nothing. Results
  // may be moved out of the range. A call that returns nothing yields std::monostate. With
  // buffersize, the executor and what the ranges refer to must outlive the range, and must not
  // change meanwhile.
  // Throws: std::invalid_argument when buffersize or chunksize is 0; as submit(), and no call was
  // submitted after that.
  // Cost: one allocation for each call, or for each chunk and one for the values and results of
  // all; three for a chunk when the number of values is not known beforehand, or with buffersize.
  // Python: map(fn, *iterables, timeout, chunksize, buffersize). There chunksize is for processes
  // only.
  template <class F, std::ranges::input_range... Ranges>
  requires(sizeof...(Ranges) > 0) &&
      std::invocable<
          const std::decay_t<F>&,
          std::ranges::range_value_t<Ranges>...> [[nodiscard]] auto map(MapOptions options, F&& f,
                                                                        Ranges&&... ranges) {
    return MapRange<std::decay_t<F>, Ranges...>(*this, options, std::forward<F>(f),
                                                std::forward<Ranges>(ranges)...);
  }
  template <class F, std::ranges::input_range... Ranges>
  requires(sizeof...(Ranges) > 0) &&
      std::invocable<
          const std::decay_t<F>&,
          std::ranges::range_value_t<Ranges>...> [[nodiscard]] auto map(F&& f, Ranges&&... ranges) {
    return map(MapOptions(), std::forward<F>(f), std::forward<Ranges>(ranges)...);
  }

  // Calls f(i) for each i from `first` up to, not including, `last`; in any order, by this thread
  // and by the executor's, `grain` of them in a row (0: as many as share the work out well). Blocks
  // until all calls have returned. This thread works as well and waits only for calls that have
  // begun, so a task of the executor may use it. It is one `f` that is called many times, as an
  // lvalue, by several threads at once.
  // Throws: what the first call to throw threw; stretches of `grain` calls that nobody has begun
  // then are left out, and those that were begun go on. As submit() when the executor takes no
  // calls and there is work for more than this thread; none was made then.
  // Synchronizes: the calls come after what this thread did before, and what it does afterwards
  // comes after them.
  // Cost: one allocation for each thread that takes part.
  // Python: none.
  template <std::integral Index, class F>
  requires std::invocable<F&, Index>
  void parallel_for(Index first, std::type_identity_t<Index> last, F&& f, std::size_t grain = 0) {
    if (first >= last) return;
    const auto count = static_cast<std::size_t>(last) - static_cast<std::size_t>(first);
    using Call =
        std::remove_reference_t<F>*;  // of a function perhaps, so a pointer to it goes along
    Call call_all = std::addressof(f);
    run_parallel(
        count, grain,
        [](void* call, void* start, std::size_t begin, std::size_t end) {
          auto& g = **static_cast<Call*>(call);
          auto i =
              static_cast<Index>(static_cast<std::size_t>(*static_cast<Index*>(start)) + begin);
          for (; begin != end; ++begin, ++i) static_cast<void>(std::invoke(g, i));
        },
        &call_all, &first);
  }

  // The same with an end of another type.
  // Throws: std::invalid_argument when `first` could not count up to it.
  template <std::integral Index, std::integral Last, class F>
  requires(!std::same_as<Index, Last>) && std::invocable<F&, Index> void parallel_for(
                                              Index first, Last last, F&& f,
                                              std::size_t grain = 0) {
    const auto end = static_cast<Index>(last);
    if (static_cast<Last>(end) != last || (end < Index{}) != (last < Last{})) {
      throw std::invalid_argument(
          "conc::Executor::parallel_for: the index cannot reach the end; give the first index the "
          "type of the end.");
    }
    parallel_for(first, end, std::forward<F>(f), grain);
  }

  // The same for each element of a range: f(range[i]).
  template <std::ranges::random_access_range Range, class F>
  requires std::ranges::sized_range<Range> &&
      std::invocable<F&, std::ranges::range_reference_t<Range>>
  void parallel_for(Range&& range, F&& f, std::size_t grain = 0) {
    const auto begin = std::ranges::begin(range);
    using Difference = std::ranges::range_difference_t<Range>;
    parallel_for(
        std::size_t{0}, static_cast<std::size_t>(std::ranges::size(range)),
        [&](std::size_t i) {
          static_cast<void>(std::invoke(f, begin[static_cast<Difference>(i)]));
        },
        grain);
  }

  // Takes no more calls; those that were taken are still run, unless `cancel_futures` is set, which
  // cancels every call that has not begun. With `wait`, blocks until all is done and the executor's
  // resources are freed. May be called again, with other arguments. A task of the executor may call
  // it, and is not waited for.
  // Python: shutdown(wait=True, *, cancel_futures=False)
  void shutdown(bool wait = true, bool cancel_futures = false) { close(wait, cancel_futures); }

 protected:
  Executor() = default;

 private:
  friend void detail::enqueue(Executor& executor, detail::JobChain& jobs);

  // Takes the jobs over, to call run() or drop() of each once. Throws UsageError after close(), and
  // what the class says when it cannot; it has taken none of the jobs then.
  virtual void enqueue(detail::JobChain& jobs) = 0;

  // shutdown().
  virtual void close(bool wait, bool cancel_futures) = 0;

  // How many calls it runs at once at most, for sharing out work. At least 1.
  [[nodiscard]] virtual std::size_t concurrency() const noexcept = 0;

  // Calls some(call, start, begin, end) for stretches of [0, count).
  using Stretch = void (*)(void* call, void* start, std::size_t begin, std::size_t end);
  void run_parallel(std::size_t count, std::size_t grain, Stretch stretch, void* call, void* start);

  // Enqueues it, and destroys it when that throws.
  void give(detail::Job& job);
};

}  // namespace conc

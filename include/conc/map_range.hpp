// MapRange: the results of Executor::map(), in order.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/future_access.hpp>
#include <conc/detail/future_state.hpp>
#include <conc/detail/job.hpp>
#include <conc/detail/kept_until.hpp>
#include <conc/detail/map_chunk.hpp>
#include <conc/detail/map_source.hpp>
#include <conc/detail/task_state.hpp>
#include <conc/future.hpp>
#include <conc/until.hpp>

#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <variant>

namespace conc {

namespace detail {

[[noreturn]] CONC_COLD CONC_EXPORT void throw_zero_map_option(const char* option);
[[noreturn]] CONC_COLD CONC_EXPORT void throw_map_begun();

}  // namespace detail

struct MapOptions {
  // When to give up waiting for the results: whatever an Until is made from. The time counts from
  // the call of map().
  detail::KeptUntil timeout = forever;

  // At most so many tasks are submitted ahead of the results that were looked at; without a value
  // all are, at once.
  std::optional<std::size_t> buffersize = std::nullopt;

  // So many calls are one task. For calls that are shorter than the microsecond or so that a task
  // costs. One that throws leaves out those behind it in its task.
  std::size_t chunksize = 1;
};

// What Executor::map() returns: an input range, to go through once. Refers to the ranges that were
// lvalues, and holds the others. Cannot be moved, since positions refer to it, so it needs a name
// at the beginning of a pipeline:
//
//   auto pages = pool.map(fetch, urls);
//   for (const auto& title : pages | std::views::transform(title_of)) ...
//
template <class F, class... Ranges>
class MapRange {
  using Result =
      std::remove_cv_t<std::invoke_result_t<const F&, std::ranges::range_value_t<Ranges>...>>;
  static_assert(!std::is_rvalue_reference_v<Result>, "A call must not return an rvalue reference.");
  using Single = detail::MapSingle<F, Result, std::ranges::range_value_t<Ranges>...>;
  using Chunk = detail::MapChunk<F, Result, std::ranges::range_value_t<Ranges>...>;
  using Slot = typename Chunk::Slot;
  using Source = detail::MapSource<Chunk, Ranges...>;

  // The results of the first task, which are there. Null when there are no more.
  struct Stretch {
    Slot* first = nullptr;
    Slot* end = nullptr;
  };

 public:
  // What the range yields: Result& for a value, the reference itself for a reference.
  using Reference = std::conditional_t<
      std::is_void_v<Result>, std::monostate,
      std::conditional_t<std::is_object_v<Result>, std::add_lvalue_reference_t<Result>, Result>>;

  class Iterator {
   public:
    using value_type = std::remove_cvref_t<Reference>;
    using difference_type = std::ptrdiff_t;

    Reference operator*() const {
      if constexpr (std::is_void_v<Result>) {
        return {};
      } else if constexpr (std::is_object_v<Result>) {
        return at_.first->result();
      } else {
        return *at_.first->result();
      }
    }
    Iterator& operator++() {
      if (++at_.first == at_.end) [[unlikely]] {
        at_ = {};
        at_ = range_->next();
      }
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) noexcept {
      return it.at_.first == nullptr;
    }

   private:
    friend class MapRange;
    Iterator(MapRange& range, Stretch at) noexcept : range_(&range), at_(at) {}
    MapRange* range_;
    Stretch at_;
  };

  MapRange(MapRange&&) = delete;

  // Cancels what has not begun, if somebody has looked at the range.
  ~MapRange() {
    if (begun_) give_up();
  }

  // Waits for the first result; ++ waits for the next. Throws what the call threw, TimeoutError,
  // Stopped. Then the range is at its end, and the calls that have not begun are cancelled.
  // begin() throws UsageError when it was called before.
  Iterator begin() {
    if (std::exchange(begun_, true)) detail::throw_map_begun();
    return Iterator(*this, wait_for_first());
  }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  friend class Executor;

  template <class G>
  MapRange(Executor& executor, const MapOptions& options, G&& f, Ranges&&... ranges)
      : executor_(executor),
        deadline_(options.timeout.deadline()),
        token_(options.timeout.token()),
        f_(std::make_shared<const F>(std::forward<G>(f))),
        source_(checked(options).chunksize, !options.buffersize, std::forward<Ranges>(ranges)...) {
    try {
      for (std::size_t ahead = 0; !options.buffersize || ahead < *options.buffersize; ++ahead) {
        if (!submit_next()) break;
      }
    } catch (...) {
      give_up();
      throw;
    }
    source_.let_go_of_memory();
  }

  static const MapOptions& checked(const MapOptions& options) {
    if (options.buffersize == std::size_t{0}) detail::throw_zero_map_option("buffersize");
    if (options.chunksize == 0) detail::throw_zero_map_option("chunksize");
    return options;
  }

  // ---- The calls to come

  // False when all are submitted. Without a buffer they are before the caller has this object, and
  // may do with the ranges what it likes.
  bool submit_next() {
    if (source_.chunksize() == 1) {
      std::optional<typename Source::Arguments> arguments = source_.next_arguments();
      if (!arguments) return false;
      submit(singles_, [f = f_, x = std::move(*arguments)]() mutable { return Single(*f, x); });
      return true;
    }
    std::optional<Chunk> chunk = source_.next_chunk();
    if (!chunk) return false;
    submit(chunks_, [f = f_, chunk = std::move(*chunk)]() mutable {
      chunk.run(*f);
      return std::move(chunk);
    });
    return true;
  }

  // What Executor::submit() does.
  template <class R, class Call>
  void submit(std::deque<Future<R>>& futures, Call&& call) {
    auto [future, task] = detail::FutureAccess::make_task<detail::TaskState<std::decay_t<Call>>>(
        std::forward<Call>(call));
    futures.push_back(std::move(future));
    detail::JobChain jobs(*task);
    detail::enqueue(executor_, jobs);
    static_cast<void>(task.release());  // the executor's now
  }

  // ---- The results

  // Of the next task, when those of the first were looked at.
  Stretch next() {
    std::exception_ptr error;
    if (chunks_.empty()) {
      singles_.pop_front();
    } else {
      error = detail::FutureAccess::state(chunks_.front()).get().error();
      chunks_.pop_front();
    }
    if (error) {
      give_up();
      std::rethrow_exception(std::move(error));
    }
    try {
      submit_next();
    } catch (...) {
      give_up();
      throw;
    }
    return wait_for_first();
  }

  Stretch wait_for_first() {
    const Until until = token_.stop_possible() ? Until(deadline_, token_) : Until(deadline_);
    try {
      if (!chunks_.empty()) return results_of(chunks_.front(), until);
      if (!singles_.empty()) return results_of(singles_.front(), until);
      return {};
    } catch (...) {
      give_up();
      throw;
    }
  }

  template <class Task>
  Stretch results_of(const Future<Task>& future, Until until) {
    static_cast<void>(future.result(until));
    Task& task = detail::FutureAccess::state(future).get();
    return {task.begin(), task.end()};
  }

  void give_up() noexcept {
    for (const auto& future : singles_) future.cancel();
    for (const auto& future : chunks_) future.cancel();
    singles_.clear();
    chunks_.clear();
  }

  Executor& executor_;
  const Until::Clock::time_point deadline_;
  const std::stop_token token_;
  const std::shared_ptr<const F> f_;
  Source source_;                       // the calls to come
  std::deque<Future<Single>> singles_;  // the results to come, when chunksize is 1
  std::deque<Future<Chunk>> chunks_;    // the same otherwise
  bool begun_ = false;
};

}  // namespace conc

// Waiting for several futures: wait(), when_all(), when_any().
#pragma once

#include <conc/config.hpp>
#include <conc/detail/future_access.hpp>
#include <conc/detail/future_state.hpp>
#include <conc/detail/gathering.hpp>
#include <conc/future.hpp>
#include <conc/until.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace conc {

namespace detail {

template <class T>
inline constexpr bool is_future = false;
template <class T>
inline constexpr bool is_future<Future<T>> = true;

template <class Futures>
concept range_of_futures =
    std::ranges::input_range<Futures> && is_future<std::ranges::range_value_t<Futures>>;

// The futures of a range.
template <range_of_futures Futures>
auto collect(Futures&& futures) {
  std::vector<std::ranges::range_value_t<Futures>> all;
  if constexpr (std::ranges::sized_range<Futures>) {
    all.reserve(static_cast<std::size_t>(std::ranges::size(futures)));
  }
  for (auto&& future : futures) all.push_back(future);
  return all;
}

// The same, each once. Throws UsageError for a handle to nothing.
template <range_of_futures Futures>
auto distinct(Futures&& futures) {
  auto all = collect(std::forward<Futures>(futures));
  for (const auto& future : all) static_cast<void>(FutureAccess::state(future));
  std::vector<std::size_t> order(all.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto address = [&all](std::size_t i) { return &FutureAccess::state(all[i]); };
  std::ranges::sort(order, [&address](std::size_t a, std::size_t b) {
    return address(a) != address(b) ? std::less<>()(address(a), address(b)) : a < b;
  });
  const auto repeated = [&](std::size_t a, std::size_t b) { return address(a) == address(b); };
  if (std::ranges::adjacent_find(order, repeated) == order.end()) return all;

  // Of each the first, in the order given.
  order.erase(std::unique(order.begin(), order.end(), repeated), order.end());
  std::ranges::sort(order);
  decltype(all) each;
  each.reserve(order.size());
  for (const std::size_t i : order) each.push_back(std::move(all[i]));
  return each;
}

template <class T>
std::vector<Ref<FutureStateBase>> states_of(const std::vector<Future<T>>& futures) {
  std::vector<Ref<FutureStateBase>> states;
  states.reserve(futures.size());
  for (const Future<T>& future : futures) {
    states.push_back(Ref<FutureStateBase>::share(&FutureAccess::state(future)));
  }
  return states;
}

}  // namespace detail

// When wait() returns.
// Python: FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED
enum class ReturnWhen : std::uint8_t {
  first_completed,  // one future is done
  first_exception,  // one ended with an exception, or all are done; being cancelled is no exception
  all_completed,    // all futures are done
};

// What wait() returns: each future in one of the two, in the order given.
template <class T>
struct WaitResult {
  std::vector<Future<T>> done;
  std::vector<Future<T>> not_done;
};

// Returns when the futures are done as `when` says, at the latest as `until` says. Blocks until
// then. A future that is given twice counts once; a cancelled one is done. Inside a task of an
// executor, when `until` allows to wait for ever, the waiting thread runs tasks of the same
// executor that are still queued: those that are waited for in any case, others if no worker is
// free.
// Throws: UsageError for a handle to nothing; std::bad_alloc.
// Synchronizes: with the work of every future in `done`.
// Cost: O(n log n) for finding what is given twice.
// Python: wait(fs, timeout, return_when). Unlike there, a cancelled future is done at once.
template <detail::range_of_futures Futures>
auto wait(Futures&& futures, ReturnWhen when = ReturnWhen::all_completed, Until until = forever) {
  auto all = detail::distinct(std::forward<Futures>(futures));
  detail::Patience patience(until);
  if (when == ReturnWhen::all_completed) {
    // One after the other: whoever completes the others then has nobody to wake.
    for (const auto& future : all) {
      auto& state = detail::FutureAccess::state(future);
      if (!state.wait(until, patience)) break;
    }
  } else if (!all.empty()) {
    detail::Gathering gathering(detail::states_of(all));
    while (gathering.left() != 0) {
      const auto place = gathering.next(until, patience);
      if (!place || when == ReturnWhen::first_completed ||
          detail::FutureAccess::state(all[*place]).phase() == detail::FutureStateBase::error) {
        break;
      }
    }
  }
  WaitResult<typename std::ranges::range_value_t<Futures>::Value> result;
  for (auto& future : all) {
    (future.done() ? result.done : result.not_done).push_back(std::move(future));
  }
  return result;
}

namespace detail {

// A future of `Result`, which is made of the futures that it waits for.
template <class Result>
struct Join {
  Join(Result parts, Ref<FutureState<Result>> future, std::size_t count) noexcept
      : result(std::move(parts)), target(std::move(future)), missing(count) {}

  Result result;
  Ref<FutureState<Result>> target;
  Atomic<std::size_t> missing;

  // Completes the target, once, and leaves its callbacks to the caller's caller.
  Ref<FutureStateBase> complete() noexcept {
    if (!target->start()) return {};
    target->emplace(std::move(result));
    target->complete_quietly(FutureStateBase::value);
    return target;
  }
};

template <class Result>
class AllCallback final : public Callback {
 public:
  explicit AllCallback(std::shared_ptr<Join<Result>> join) noexcept : join_(std::move(join)) {}
  Ref<FutureStateBase> run(FutureStateBase&) override {
    if (join_->missing.fetch_sub(1, std::memory_order_acq_rel) != 1) return {};
    return join_->complete();
  }

 private:
  std::shared_ptr<Join<Result>> join_;
};

template <class Result>
class AnyCallback final : public Callback {
 public:
  AnyCallback(std::shared_ptr<Join<Result>> join, std::size_t place) noexcept
      : join_(std::move(join)), place_(place) {}
  Ref<FutureStateBase> run(FutureStateBase&) override {
    if (join_->missing.exchange(0, std::memory_order_acq_rel) == 0) return {};
    join_->result.index = place_;
    return join_->complete();
  }

 private:
  std::shared_ptr<Join<Result>> join_;
  const std::size_t place_;
};

// Makes everything that may not fit into memory, and only then adds the callbacks.
template <class Result, class MakeCallback>
Future<Result> join(Result result, const std::vector<FutureStateBase*>& states, MakeCallback make) {
  auto target = Ref<FutureState<Result>>::adopt(new FutureState<Result>(FutureStateBase::one_ref));
  auto shared = std::make_shared<Join<Result>>(std::move(result), target, states.size());
  std::vector<std::unique_ptr<Callback>> callbacks;
  callbacks.reserve(states.size());
  for (std::size_t i = 0; i < states.size(); ++i) callbacks.push_back(make(shared, i));
  if (states.empty()) static_cast<void>(shared->complete());
  // A callback that is run at once may take the futures out of `result`; `states` are kept by the
  // caller's.
  for (std::size_t i = 0; i < states.size(); ++i) states[i]->add_callback(std::move(callbacks[i]));
  return FutureAccess::handle(std::move(target));
}

template <class Futures>
using joined_range = std::vector<std::ranges::range_value_t<Futures>>;

template <class... Ts>
std::vector<FutureStateBase*> addresses(const Future<Ts>&... futures) {
  return {&FutureAccess::state(futures)...};
}
template <class T>
std::vector<FutureStateBase*> addresses(const std::vector<Future<T>>& futures) {
  std::vector<FutureStateBase*> states;
  states.reserve(futures.size());
  for (const Future<T>& future : futures) states.push_back(&FutureAccess::state(future));
  return states;
}

template <class Result>
Future<Result> join_all(Result futures, const std::vector<FutureStateBase*>& states) {
  return join(std::move(futures), states, [](const auto& shared, std::size_t) {
    return std::make_unique<AllCallback<Result>>(shared);
  });
}

}  // namespace detail

// What when_any() makes: the futures, and which of them was done first.
template <class Futures>
struct WhenAny {
  std::size_t index = 0;
  Futures futures;
};

namespace detail {

template <class Futures>
Future<WhenAny<Futures>> join_any(Futures futures, const std::vector<FutureStateBase*>& states) {
  if (states.empty()) throw std::invalid_argument("conc::when_any needs one future at least.");
  using Result = WhenAny<Futures>;
  return join(Result{0, std::move(futures)}, states, [](const auto& shared, std::size_t place) {
    return std::make_unique<AnyCallback<Result>>(shared, place);
  });
}

}  // namespace detail

// A future that is done when all of these are, however they end; its value is the futures, as a
// vector or as a tuple. Done at once when there are none. Cancelling it cancels none of them. Never
// blocks.
//
//   conc::when_all(futures).then([](const auto& all) { ... });
//
// Throws: UsageError for a handle to nothing; std::bad_alloc.
// Cost: five allocations, four for a tuple, and one for each future; and those of a vector that
// grows when the range has no size.
// Python: none in concurrent.futures; asyncio.gather(..., return_exceptions=True).
template <detail::range_of_futures Futures>
auto when_all(Futures&& futures) -> Future<detail::joined_range<Futures>> {
  auto all = detail::collect(std::forward<Futures>(futures));
  const auto states = detail::addresses(all);
  return detail::join_all(std::move(all), states);
}
template <class... Ts>
auto when_all(Future<Ts>... futures) -> Future<std::tuple<Future<Ts>...>> {
  const auto states = detail::addresses(futures...);
  return detail::join_all(std::tuple(std::move(futures)...), states);
}

// A future that is done when the first of these is, however it ends; its value says which.
// Cancelling it cancels none of them, and neither does its completion. Never blocks.
// Throws: std::invalid_argument when there are none; and as when_all().
template <detail::range_of_futures Futures>
auto when_any(Futures&& futures) -> Future<WhenAny<detail::joined_range<Futures>>> {
  auto all = detail::collect(std::forward<Futures>(futures));
  const auto states = detail::addresses(all);
  return detail::join_any(std::move(all), states);
}
template <class... Ts>
requires(sizeof...(Ts) > 0) auto when_any(Future<Ts>... futures)
    -> Future<WhenAny<std::tuple<Future<Ts>...>>> {
  const auto states = detail::addresses(futures...);
  return detail::join_any(std::tuple(std::move(futures)...), states);
}

}  // namespace conc

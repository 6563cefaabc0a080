// as_completed: futures in the order in which they get done.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/future_access.hpp>
#include <conc/detail/gathering.hpp>
#include <conc/detail/waiting.hpp>
#include <conc/future.hpp>
#include <conc/until.hpp>
#include <conc/wait.hpp>

#include <cstddef>
#include <iterator>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

namespace conc {

// What as_completed() returns: a range to go through once.
template <class T>
class AsCompleted {
 public:
  AsCompleted(std::vector<Future<T>> futures, Until until)
      : gathering_(detail::states_of(futures)),
        deadline_(until.deadline()),
        token_(until.token() != nullptr ? *until.token() : std::stop_token()) {}

  // What was moved from is at its end. Iterators stay with it.
  AsCompleted(AsCompleted&&) noexcept = default;
  AsCompleted& operator=(AsCompleted&&) noexcept = default;

  // A future is waited for when it is asked for: by *, ->, and the comparison with the end. So
  // whoever takes two does not wait for a third. Throws: TimeoutError when the time is up, Stopped
  // when the token was triggered; what gets done later may be asked for then.
  class Iterator {
   public:
    using value_type = Future<T>;
    using difference_type = std::ptrdiff_t;

    const Future<T>& operator*() const { return range_->current(); }
    const Future<T>* operator->() const { return &range_->current(); }
    // Leaves the future, which is waited for if it was not asked for.
    Iterator& operator++() {
      static_cast<void>(range_->current());
      range_->current_ = {};
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) { return it.at_end(); }

   private:
    friend class AsCompleted;
    explicit Iterator(AsCompleted& range) noexcept : range_(&range) {}
    [[nodiscard]] bool at_end() const { return !range_->current().valid(); }
    AsCompleted* range_;
  };

  // At the future that was asked for last and not left, if there is one. Blocks on nothing.
  [[nodiscard]] Iterator begin() noexcept { return Iterator(*this); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  // Nothing at the end.
  const Future<T>& current() {
    if (!current_.valid() && gathering_.left() != 0) wait_for_next();
    return current_;
  }

  void wait_for_next() {
    const Until until = token_.stop_possible() ? Until(deadline_, token_) : Until(deadline_);
    detail::Patience patience(until);
    const auto place = gathering_.next(until, patience);
    if (!place) detail::throw_gave_up(until);
    auto* const state = static_cast<detail::FutureState<T>*>(gathering_.release(*place).release());
    current_ = detail::FutureAccess::handle(detail::Ref<detail::FutureState<T>>::adopt(state));
  }

  detail::Gathering gathering_;
  Until::Clock::time_point deadline_;
  std::stop_token token_;
  Future<T> current_;
};

// The futures one by one as they get done: first those that are done already, then each as soon as
// it is. A future that is given twice comes once. The range keeps no future that it has handed out.
//
//   for (const auto& future : conc::as_completed(futures, 10s)) use(future.result());
//
// Blocks where the range is gone through, not here. The time counts from this call; the token is
// copied.
// Throws: UsageError for a handle to nothing; std::bad_alloc.
// Cost: seven allocations, one more when a future is given twice, and those of a vector that grows
// when the range has no size; one lock for each future.
// Python: as_completed(fs, timeout)
template <detail::range_of_futures Futures>
[[nodiscard]] auto as_completed(Futures&& futures, Until until = forever) {
  using T = typename std::ranges::range_value_t<Futures>::Value;
  return AsCompleted<T>(detail::distinct(std::forward<Futures>(futures)), until);
}

}  // namespace conc

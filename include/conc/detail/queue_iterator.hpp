// QueueIterator: range-for over a queue.
#pragma once

#include <conc/detail/queue_core.hpp>
#include <conc/detail/queue_engine.hpp>
#include <conc/until.hpp>

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace conc::detail {

// An input iterator, as the standard has it: it can be moved, but not copied.
template <class T, class Order>
class QueueIterator {
 public:
  using iterator_concept = std::input_iterator_tag;
  using value_type = T;
  using difference_type = std::ptrdiff_t;

  explicit QueueIterator(QueueEngine<T, Order>& queue) : queue_(&queue) { ++*this; }

  QueueIterator(QueueIterator&&) = default;
  // Asks T for no assignment.
  QueueIterator& operator=(QueueIterator&& other) noexcept(
      std::is_nothrow_move_constructible_v<T>) {
    if (this == &other) return *this;
    queue_ = other.queue_;
    item_.reset();
    if (other.item_) item_.emplace(std::move(*other.item_));
    return *this;
  }

  [[nodiscard]] T& operator*() const noexcept { return *item_; }
  [[nodiscard]] T* operator->() const noexcept { return std::addressof(*item_); }

  QueueIterator& operator++() {
    item_.reset();
    typename QueueEngine<T, Order>::Getting getting(*queue_);
    if (getting.begin(forever) == QueueVerdict::ready) item_.emplace(getting.item());
    return *this;
  }
  void operator++(int) { ++*this; }

  [[nodiscard]] friend bool operator==(const QueueIterator& it, std::default_sentinel_t) noexcept {
    return !it.item_.has_value();
  }

 private:
  QueueEngine<T, Order>* queue_;
  mutable std::optional<T> item_;
};

}  // namespace conc::detail

// PriorityOrder: the discipline of a queue whose items come out in the order of a comparator. See
// queue_order.hpp for what a discipline is.
#pragma once

#include <conc/detail/queue_items.hpp>
#include <conc/detail/queue_order.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace conc::detail {

// Smallest first, and first in, first out among equals: a heap of four children a node, which is
// half as deep as one of two, and whose brothers share a cache line.
template <class T, class Compare>
class PriorityOrder {
 public:
  struct Slot {
    Entry<T> entry;
    std::uint64_t number;  // counts the items as they come in
  };
  using Slots = RawArray<Slot>;

  struct Place {
    std::size_t at;
  };

  // The smallest item, and where the last slot's entry goes when the smallest leaves the root:
  // `depth` levels down, at each to the child that the next two bits of `path` say.
  struct Choice {
    std::uint64_t path = 0;
    unsigned depth = 0;
  };

  PriorityOrder() = default;
  explicit PriorityOrder(Compare less) : less_(std::move(less)) {}

  [[nodiscard]] bool has_slot() const noexcept { return size_ < slots_.size(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return slots_.size(); }

  void adopt(Slots& fresh) noexcept {
    for (std::size_t i = 0; i < size_; ++i) relocate(slots_.data() + i, fresh.data() + i);
    slots_.swap(fresh);
  }

  [[nodiscard]] Place place_for(const T& item) const {
    std::size_t at = size_;
    // An item that equals its parent stays below: the parent was there before.
    while (at != 0 && less_(item, item_at(parent(at)))) at = parent(at);
    return {at};
  }

  template <class From>
  void insert(Place place, From&& from) noexcept {
    std::size_t at = size_;
    for (; at != place.at; at = parent(at)) move_slot(parent(at), at);
    std::construct_at(slots_.data() + at, Slot{Entry<T>(std::forward<From>(from)), next_number_});
    ++next_number_;
    ++size_;
  }

  // Goes down to a leaf along the smallest children, and up again to where the last entry belongs:
  // it comes from the bottom, so that is not far. Left to remove() when no comparison can throw.
  [[nodiscard]] Choice choose() const {
    Choice choice;
    if constexpr (compares_nothrow) return choice;
    const std::size_t last = size_ - 1;
    std::size_t at = 0;
    for (std::size_t child = 1; child < last; child = first_child(at)) {
      const std::size_t best = smallest_child(child, last);
      choice.path = choice.path << bits | (best - child);
      ++choice.depth;
      at = best;
    }
    for (; choice.depth != 0 && before(last, at); at = parent(at)) {
      choice.path >>= bits;
      --choice.depth;
    }
    return choice;
  }

  [[nodiscard]] Entry<T>& operator[](const Choice& /*choice*/) noexcept {
    return slots_.data()[0].entry;
  }

  void remove(const Choice& choice) noexcept {
    const std::size_t last = --size_;
    std::size_t at = 0;
    std::destroy_at(slots_.data());
    if constexpr (compares_nothrow) {
      for (std::size_t child = 1; child < last; child = first_child(at)) {
        const std::size_t best = smallest_child(child, last);
        move_slot(best, at);
        at = best;
      }
      for (; at != 0 && before(last, parent(at)); at = parent(at)) move_slot(parent(at), at);
    } else {
      for (unsigned level = choice.depth; level != 0; --level) {
        const std::size_t child = first_child(at) + (choice.path >> (level - 1) * bits) % children;
        move_slot(child, at);
        at = child;
      }
    }
    if (at != last) move_slot(last, at);
  }

  [[nodiscard]] Contents<Slot> take_all() noexcept {
    return {std::move(slots_), 0, std::exchange(size_, 0)};
  }

 private:
  // The standard's comparators do not say so themselves.
  static constexpr bool compares_nothrow =
      std::is_nothrow_invocable_v<const Compare&, const T&, const T&> ||
      (std::is_arithmetic_v<T> &&
       (std::is_same_v<Compare, std::less<T>> || std::is_same_v<Compare, std::greater<T>> ||
        std::is_same_v<Compare, std::less<>> || std::is_same_v<Compare, std::greater<>>));

  static constexpr unsigned bits = 2;
  static constexpr std::size_t children = std::size_t{1} << bits;

  [[nodiscard]] static constexpr std::size_t parent(std::size_t at) noexcept {
    return (at - 1) / children;
  }
  [[nodiscard]] static constexpr std::size_t first_child(std::size_t at) noexcept {
    return at * children + 1;
  }

  [[nodiscard]] const T& item_at(std::size_t at) const noexcept {
    return item_of<T>(std::as_const(slots_.data()[at].entry));
  }

  // Whether the item in one slot comes out before that in another.
  [[nodiscard]] bool before(std::size_t one, std::size_t other) const {
    if (less_(item_at(one), item_at(other))) return true;
    if (less_(item_at(other), item_at(one))) return false;
    return slots_.data()[one].number < slots_.data()[other].number;
  }

  // Of those that begin with `child`, as far as they stand before `end`. Of four, the smaller ones
  // of two pairs: fewer steps that wait for each other.
  [[nodiscard]] std::size_t smallest_child(std::size_t child, std::size_t end) const {
    static_assert(children == 4);
    if (child + children <= end) {
      const std::size_t first = before(child + 1, child) ? child + 1 : child;
      const std::size_t second = before(child + 3, child + 2) ? child + 3 : child + 2;
      return before(second, first) ? second : first;
    }
    std::size_t best = child;
    while (++child < end) {
      if (before(child, best)) best = child;
    }
    return best;
  }

  void move_slot(std::size_t from, std::size_t to) noexcept {
    relocate(slots_.data() + from, slots_.data() + to);
  }

  Slots slots_;
  std::size_t size_ = 0;
  std::uint64_t next_number_ = 0;
  [[no_unique_address]] Compare less_{};
};

}  // namespace conc::detail

// The three disciplines: in which order the items of a queue come out.
//
// Each keeps entries (see queue_items.hpp) in an array that grows by doubling. What may throw, the
// user's comparator, runs in place_for() and choose(), which change nothing; what changes the order
// does not throw.
#pragma once

#include <conc/detail/queue_items.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace conc::detail {

// What was in a queue when it was emptied: `size` entries from `first` on, which may wrap around.
template <class Slot>
struct Contents {
  RawArray<Slot> slots;
  std::size_t first;
  std::size_t size;

  template <class F>
  void for_each(F&& f) noexcept {
    for (std::size_t i = 0; i < size; ++i) f(slots.data()[(first + i) % slots.size()]);
  }
};

// First in, first out: a ring.
template <class T>
class FifoOrder {
 public:
  using Slot = Entry<T>;
  using Slots = RawArray<Slot>;
  struct Place {};
  struct Choice {};

  [[nodiscard]] bool has_slot() const noexcept { return size_ < slots_.size(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return slots_.size(); }

  // Takes over a greater array, and leaves the old one behind.
  void adopt(Slots& fresh) noexcept {
    for (std::size_t i = 0; i < size_; ++i, head_ = after(head_)) {
      std::construct_at(fresh.data() + i, std::move(slots_.data()[head_]));
    }
    slots_.swap(fresh);
    head_ = 0;
    tail_ = size_ == slots_.size() ? 0 : size_;
  }

  [[nodiscard]] Place place_for(const T& /*item*/) const noexcept { return {}; }
  template <class From>
  void insert(Place /*place*/, From&& from) noexcept {
    std::construct_at(slots_.data() + tail_, std::forward<From>(from));
    tail_ = after(tail_);
    ++size_;
  }

  [[nodiscard]] Choice choose() const noexcept { return {}; }
  [[nodiscard]] Entry<T>& operator[](Choice /*choice*/) noexcept { return slots_.data()[head_]; }
  void remove(Choice /*choice*/) noexcept {
    head_ = after(head_);
    --size_;
  }

  // Takes everything out, array and all.
  [[nodiscard]] Contents<Slot> take_all() noexcept {
    return {std::move(slots_), std::exchange(head_, 0), std::exchange(size_, 0)};
  }

 private:
  [[nodiscard]] std::size_t after(std::size_t at) const noexcept {
    return ++at == slots_.size() ? 0 : at;
  }

  Slots slots_;
  std::size_t head_ = 0;  // the first item
  std::size_t tail_ = 0;  // the slot behind the last
  std::size_t size_ = 0;
};

// Last in, first out: a stack.
template <class T>
class LifoOrder {
 public:
  using Slot = Entry<T>;
  using Slots = RawArray<Slot>;
  struct Place {};
  struct Choice {};

  [[nodiscard]] bool has_slot() const noexcept { return size_ < slots_.size(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return slots_.size(); }

  void adopt(Slots& fresh) noexcept {
    for (std::size_t i = 0; i < size_; ++i) {
      std::construct_at(fresh.data() + i, std::move(slots_.data()[i]));
    }
    slots_.swap(fresh);
  }

  [[nodiscard]] Place place_for(const T& /*item*/) const noexcept { return {}; }
  template <class From>
  void insert(Place /*place*/, From&& from) noexcept {
    std::construct_at(slots_.data() + size_, std::forward<From>(from));
    ++size_;
  }

  [[nodiscard]] Choice choose() const noexcept { return {}; }
  [[nodiscard]] Entry<T>& operator[](Choice /*choice*/) noexcept {
    return slots_.data()[size_ - 1];
  }
  void remove(Choice /*choice*/) noexcept { --size_; }

  [[nodiscard]] Contents<Slot> take_all() noexcept {
    return {std::move(slots_), 0, std::exchange(size_, 0)};
  }

 private:
  Slots slots_;
  std::size_t size_ = 0;
};

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
    for (std::size_t i = 0; i < size_; ++i) {
      std::construct_at(fresh.data() + i, std::move(slots_.data()[i]));
    }
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
  // it comes from the bottom, so that is not far.
  [[nodiscard]] Choice choose() const {
    Choice choice;
    const std::size_t last = size_ - 1;
    std::size_t at = 0;
    for (std::size_t child = 1; child < last; child = first_child(at)) {
      std::size_t best = child;
      const std::size_t end = std::min(child + children, last);
      for (std::size_t other = child + 1; other < end; ++other) {
        if (before(other, best)) best = other;
      }
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
    --size_;
    std::size_t at = 0;
    for (unsigned level = choice.depth; level != 0; --level) {
      const std::size_t child = first_child(at) + (choice.path >> (level - 1) * bits) % children;
      move_slot(child, at);
      at = child;
    }
    if (at != size_) move_slot(size_, at);
  }

  [[nodiscard]] Contents<Slot> take_all() noexcept {
    return {std::move(slots_), 0, std::exchange(size_, 0)};
  }

 private:
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

  void move_slot(std::size_t from, std::size_t to) noexcept {
    std::construct_at(slots_.data() + to, std::move(slots_.data()[from]));
  }

  Slots slots_;
  std::size_t size_ = 0;
  std::uint64_t next_number_ = 0;
  [[no_unique_address]] Compare less_{};
};

// The entry in a slot of any of them.
template <class Slot>
[[nodiscard]] auto& entry_in(Slot& slot) noexcept {
  if constexpr (requires { slot.number; }) {
    return slot.entry;
  } else {
    return slot;
  }
}

}  // namespace conc::detail

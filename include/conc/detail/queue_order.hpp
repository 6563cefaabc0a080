// The disciplines: in which order the items of a queue come out. The third one is in
// priority_order.hpp.
//
// Each keeps entries (see queue_items.hpp) in an array that grows by doubling. What may throw, the
// user's comparator, runs in place_for() and choose(), which change nothing; what changes the order
// does not throw.
#pragma once

#include <conc/detail/queue_items.hpp>

#include <cstddef>
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
      relocate(slots_.data() + head_, fresh.data() + i);
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
    std::destroy_at(slots_.data() + head_);
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
    for (std::size_t i = 0; i < size_; ++i) relocate(slots_.data() + i, fresh.data() + i);
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
  void remove(Choice /*choice*/) noexcept { std::destroy_at(slots_.data() + --size_); }

  [[nodiscard]] Contents<Slot> take_all() noexcept {
    return {std::move(slots_), 0, std::exchange(size_, 0)};
  }

 private:
  Slots slots_;
  std::size_t size_ = 0;
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

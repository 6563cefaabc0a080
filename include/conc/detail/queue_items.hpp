// Where the items of a queue are kept.
//
// An item lies in the queue's slots themselves, if it moves without throwing and the shell that a
// move leaves behind is destroyed without running code of the program's. Every other item lies in a
// cell, which never moves, and the slot holds the cell's address. So growing a queue, or sifting a
// heap, moves no item that could throw; and a shell whose destructor is the program's is destroyed
// after the queue's lock was given back, so that the destructor may use the queue.
#pragma once

#include <conc/detail/machine.hpp>

#include <algorithm>
#include <cstddef>
#include <forward_list>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace conc::detail {

// Room for `size` objects, none of them constructed.
template <class Object>
class RawArray {
 public:
  RawArray() = default;
  explicit RawArray(std::size_t size)
      : data_(size != 0 ? std::allocator<Object>().allocate(size) : nullptr), size_(size) {}
  RawArray(RawArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  RawArray& operator=(RawArray&&) = delete;
  ~RawArray() {
    if (data_ != nullptr) std::allocator<Object>().deallocate(data_, size_);
  }

  void swap(RawArray& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  [[nodiscard]] Object* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  Object* data_ = nullptr;
  std::size_t size_ = 0;
};

// How many objects a queue of at most `maxsize` (0: no limit) makes room for, when it has room for
// `size`: at first for half a kilobyte of them, then for twice as many.
template <class Object>
[[nodiscard]] constexpr std::size_t grown(std::size_t size, std::size_t maxsize) noexcept {
  constexpr std::size_t first = std::clamp<std::size_t>(512 / sizeof(Object), 1, 16);
  const std::size_t wanted = size < first ? first : 2 * size;
  return maxsize != 0 && wanted > maxsize ? std::max(maxsize, size + 1) : wanted;
}

// Whether destroying a T that was moved from runs no code of the program's. What the standard
// library's owners own has gone to the new owner by then.
template <class T>
inline constexpr bool hollow_once_moved = std::is_trivially_destructible_v<T>;
template <class Char, class Traits>
inline constexpr bool hollow_once_moved<std::basic_string<Char, Traits>> = true;
template <class T>
inline constexpr bool hollow_once_moved<std::vector<T>> = true;
template <class T>
inline constexpr bool hollow_once_moved<std::unique_ptr<T>> = true;
template <class T>
inline constexpr bool hollow_once_moved<std::shared_ptr<T>> = true;

template <class T>
inline constexpr bool kept_in_slot = std::is_nothrow_move_constructible_v<T>&& hollow_once_moved<T>;

// Moves the object to where there is none.
template <class Object>
void relocate(Object* from, Object* to) noexcept {
  std::construct_at(to, std::move(*from));
  std::destroy_at(from);
}

// Holds an item, or is spare and has its place in a list of such.
template <class T>
union Cell {
  Cell() noexcept : next(nullptr) {}
  ~Cell() {}
  Cell(const Cell&) = delete;
  Cell& operator=(const Cell&) = delete;

  Cell* next;
  T item;
};

// What a slot holds. Moves without throwing, and is destroyed under the lock once it was moved
// from.
template <class T>
using Entry = std::conditional_t<kept_in_slot<T>, T, Cell<T>*>;

template <class T>
[[nodiscard]] T& item_of(Entry<T>& entry) noexcept {
  if constexpr (kept_in_slot<T>) {
    return entry;
  } else {
    return entry->item;
  }
}

template <class T>
[[nodiscard]] const T& item_of(const Entry<T>& entry) noexcept {
  if constexpr (kept_in_slot<T>) {
    return entry;
  } else {
    return entry->item;
  }
}

// The cells of a queue. All calls are made under the queue's lock but give_back().
//
// A cell is spare, or holds an item in the queue, or is in the hands of a thread that got its item
// and destroys what is left of it. That thread gives it back without the lock, as the last thing it
// does to the queue; the destructor waits for it.
template <class T>
class CellPool {
 public:
  using Slabs = std::forward_list<RawArray<Cell<T>>>;

  CellPool() = default;
  CellPool(const CellPool&) = delete;
  CellPool& operator=(const CellPool&) = delete;

  // Every item must have been taken out.
  ~CellPool() {
    for (;;) {
      std::size_t count = 0;
      collect();
      for (const Cell<T>* cell = spare_; cell != nullptr; cell = cell->next) ++count;
      if (count == made_) return;
      cpu_yield();
    }
  }

  [[nodiscard]] bool has_spare() noexcept {
    if (spare_ == nullptr && returned_.load(std::memory_order_relaxed) != nullptr) {
      spare_ = returned_.exchange(nullptr, std::memory_order_acquire);
    }
    return spare_ != nullptr;
  }

  // How many cells there are, in whatever state.
  [[nodiscard]] std::size_t made() const noexcept { return made_; }

  // How many cells to make at once when there is no spare one.
  [[nodiscard]] std::size_t lack(std::size_t maxsize) const noexcept {
    return grown<Cell<T>>(made_, maxsize) - made_;
  }

  // Takes over one slab of fresh cells.
  void adopt(Slabs& slab) noexcept {
    RawArray<Cell<T>>& fresh = slab.front();
    for (std::size_t i = fresh.size(); i > 0; --i) {
      Cell<T>* const cell = std::construct_at(fresh.data() + (i - 1));
      cell->next = std::exchange(spare_, cell);
    }
    made_ += fresh.size();
    slabs_.splice_after(slabs_.before_begin(), slab);
  }

  // Moves the item into a spare cell, of which there must be one. When the move throws, nothing has
  // changed.
  [[nodiscard]] Cell<T>* fill(T&& item) {
    Cell<T>* const cell = spare_;
    Cell<T>* const next = cell->next;
    try {
      std::construct_at(std::addressof(cell->item), std::move(item));
    } catch (...) {
      cell->next = next;
      throw;
    }
    spare_ = next;
    return cell;
  }

  // Destroys what the cells hold and makes them spare. Without the lock; the last touch of the
  // queue.
  void give_back(std::span<Cell<T>* const> cells) noexcept {
    if (cells.empty()) return;
    Cell<T>* last = nullptr;
    for (Cell<T>* const cell : cells) {
      std::destroy_at(std::addressof(cell->item));
      cell->next = std::exchange(last, cell);
    }
    Cell<T>* seen = returned_.load(std::memory_order_relaxed);
    do {
      cells.front()->next = seen;
    } while (!returned_.compare_exchange_weak(seen, last, std::memory_order_release,
                                              std::memory_order_relaxed));
  }
  void give_back(Cell<T>* cell) noexcept { give_back({&cell, 1}); }

 private:
  void collect() noexcept {
    if (returned_.load(std::memory_order_relaxed) == nullptr) return;
    Cell<T>* const first = returned_.exchange(nullptr, std::memory_order_acquire);
    Cell<T>* last = first;
    while (last->next != nullptr) last = last->next;
    last->next = std::exchange(spare_, first);
  }

  Cell<T>* spare_ = nullptr;
  std::size_t made_ = 0;
  Slabs slabs_;
  // Pushed by any thread, and taken all at once, so no address comes back unseen.
  Atomic<Cell<T>*> returned_{nullptr};
};

}  // namespace conc::detail

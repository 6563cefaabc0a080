// QueueStore: the items of a queue, in their order, and the room for more.
//
// Everything is done under the queue's lock, but for allocating and freeing memory, and for
// give_back().
#pragma once

#include <conc/config.hpp>
#include <conc/detail/queue_items.hpp>
#include <conc/detail/queue_order.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace conc::detail {

// `Order` is one of the disciplines, see queue_order.hpp.
template <class T, class Order>
class QueueStore {
 public:
  using Choice = typename Order::Choice;

 private:
  struct NoCells {
    struct Slabs {};
  };
  using Slots = typename Order::Slots;
  using Cells = std::conditional_t<kept_in_slot<T>, NoCells, CellPool<T>>;

 public:
  // What has to be made before there is a place for one more item.
  struct Lack {
    std::size_t slots = 0;
    std::size_t cells = 0;
    std::size_t cells_before = 0;
  };

  // Storage that is not in use yet, or no more. Is filled, and destroyed, without the lock.
  class Memory {
   public:
    // When it throws, nothing has changed.
    void provide(const Lack& lack) {
      Slots fresh(lack.slots);
      if constexpr (!kept_in_slot<T>) {
        typename Cells::Slabs slabs;
        if (lack.cells != 0) slabs.emplace_front(lack.cells);
        slabs_.swap(slabs);
      }
      slots_.swap(fresh);
    }

   private:
    friend class QueueStore;

    Slots slots_;
    [[no_unique_address]] typename Cells::Slabs slabs_;
  };

  explicit QueueStore(Order order) : order_(std::move(order)) {}

  // ---- Putting

  [[nodiscard]] bool has_place() noexcept {
    if constexpr (!kept_in_slot<T>) {
      if (!cells_.has_spare()) return false;
    }
    return order_.has_slot();
  }

  [[nodiscard]] Lack lack(std::size_t maxsize) noexcept {
    Lack lack;
    if (!order_.has_slot()) lack.slots = grown<typename Order::Slot>(order_.capacity(), maxsize);
    if constexpr (!kept_in_slot<T>) {
      if (!cells_.has_spare()) lack.cells = cells_.lack(maxsize);
      lack.cells_before = cells_.made();
    }
    return lack;
  }

  // Takes over what was provided for the lack, and leaves behind what it replaces. Others may have
  // made places since. Cells that others only gave back are no reason to do without the new ones:
  // they would lack again at the next turn, and cost an allocation each time.
  void adopt(const Lack& lack, Memory& memory) noexcept {
    if (memory.slots_.size() > order_.capacity()) order_.adopt(memory.slots_);
    if constexpr (!kept_in_slot<T>) {
      if (!memory.slabs_.empty() && cells_.made() == lack.cells_before) {
        cells_.adopt(memory.slabs_);
      }
    }
  }

  // Moves the item in. There must be a place. When it throws, nothing has changed.
  CONC_ALWAYS_INLINE void place(T& item) {
    const auto place = order_.place_for(item);
    if constexpr (kept_in_slot<T>) {
      order_.insert(place, std::move(item));
    } else {
      order_.insert(place, cells_.fill(std::move(item)));
    }
  }

  // ---- Getting

  // Which item is next. There must be one. When the comparator throws, nothing has changed.
  [[nodiscard]] Choice choose() const { return order_.choose(); }
  [[nodiscard]] Entry<T>& operator[](const Choice& choice) noexcept { return order_[choice]; }
  void remove(const Choice& choice) noexcept { order_.remove(choice); }

  // Takes everything out; what it returns is for drop().
  [[nodiscard]] auto take_all() noexcept { return order_.take_all(); }

  // Destroys the items in cells that were removed, and makes the cells spare. Without the lock; the
  // last touch of the queue.
  void give_back(Cell<T>* cell) noexcept { cells_.give_back(cell); }
  void give_back(std::span<Cell<T>* const> cells) noexcept { cells_.give_back(cells); }

  // The same for all that was taken out.
  template <class Taken>
  void drop(Taken& taken) noexcept {
    taken.for_each([&](typename Order::Slot& slot) {
      if constexpr (!kept_in_slot<T>) cells_.give_back(entry_in(slot));
      std::destroy_at(std::addressof(slot));
    });
  }

 private:
  Order order_;
  [[no_unique_address]] Cells cells_;
};

}  // namespace conc::detail

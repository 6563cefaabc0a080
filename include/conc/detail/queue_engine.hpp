// QueueEngine: the part of a queue that knows its items; QueueCore is the part that does not.
//
// A put takes the lock, waits for room, makes a place if there is none yet, and moves its item in.
// A get takes the lock, waits for an item, and moves it out. Either reports to the core, which
// wakes whom that concerns when the lock is given back.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/queue_core.hpp>
#include <conc/detail/queue_items.hpp>
#include <conc/detail/queue_store.hpp>
#include <conc/detail/waiting.hpp>
#include <conc/until.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace conc::detail {

// `Order` is one of the disciplines, see queue_order.hpp.
template <class T, class Order>
class QueueEngine {
 public:
  QueueEngine(const char* type, std::size_t maxsize, const char* name, Order order)
      : store_(std::move(order)), core_(type, maxsize, name) {}
  ~QueueEngine() { shut_down(true); }

  QueueEngine(const QueueEngine&) = delete;
  QueueEngine& operator=(const QueueEngine&) = delete;

  [[nodiscard]] QueueCore& core() noexcept { return core_; }
  [[nodiscard]] const QueueCore& core() const noexcept { return core_; }

  // Moves the item in, if the verdict is `ready`.
  CONC_ALWAYS_INLINE QueueVerdict insert(T& item, Until until) {
    Memory memory;
    Hold hold(core_);
    if (!core_.may_put() || !store_.has_place()) [[unlikely]] {
      return insert_slow(item, until, hold, memory);
    }
    place(item);
    return QueueVerdict::ready;
  }

  // Moves the first `done` of the items in: all, unless the verdict says why not, or an exception
  // ended it after the first. Throws when it has moved none.
  QueueVerdict insert_many(std::span<T> items, Until until, std::size_t& done);

  // Takes one item: see below.
  class Getting;

  // Takes up to n items, one at least if the verdict is `ready`, and appends them to `items`, which
  // is empty. Throws when it has taken none.
  QueueVerdict extract_many(std::vector<T>& items, std::size_t n, Until until);

  void shut_down(bool immediate) noexcept {
    Hold hold(core_);
    if (!immediate) {
      core_.shut_down(false, hold);
      return;
    }
    auto dropped = store_.take_all();
    core_.shut_down(true, hold);
    store_.drop(dropped);
  }

 private:
  using Hold = QueueCore::Hold;
  using Store = QueueStore<T, Order>;
  using Memory = typename Store::Memory;  // lives longer than the Hold beside it

  CONC_ALWAYS_INLINE void place(T& item) {
    store_.place(item);
    core_.put_done();
  }

  CONC_COLD QueueVerdict insert_slow(T& item, Until until, Hold& hold, Memory& memory);
  void grow(Hold& hold, Memory& memory);

  // Side by side, so that what a put or get writes is one cache line: the ends of a ring, the lock
  // and the counts. Of the next line it reads whether somebody waits. Measured by the rows
  // String_Unbounded1P1C and String_Bounded1P1C.
  alignas(64) Store store_;
  QueueCore core_;
};

// One get, from taking the lock to giving it back: `begin`, then move from `item`. The item leaves
// the queue when the Getting is destroyed, unless moving it threw. So the item is moved once, into
// the value that the call returns.
template <class T, class Order>
class QueueEngine<T, Order>::Getting {
 public:
  // A move that cannot throw is made after the item has left the queue, without the lock.
  static constexpr bool moved_unlocked =
      !kept_in_slot<T> && std::is_nothrow_move_constructible_v<T>;

  CONC_ALWAYS_INLINE explicit Getting(QueueEngine& queue) : queue_(queue), hold_(queue.core_) {}
  Getting(const Getting&) = delete;
  Getting& operator=(const Getting&) = delete;

  // When it returns `ready`, there is an item, else nothing is held any more.
  CONC_ALWAYS_INLINE QueueVerdict begin(Until until) {
    QueueCore& core = queue_.core_;
    if (!core.may_get()) [[unlikely]] {
      const QueueVerdict verdict = core.wait_to_get(until);
      if (verdict != QueueVerdict::ready) {
        hold_.leave();
        return verdict;
      }
    }
    choice_ = queue_.store_.choose();
    entry_ = std::addressof(queue_.store_[choice_]);
    if constexpr (moved_unlocked) {
      cell_ = *entry_;
      finish();
    }
    return QueueVerdict::ready;
  }

  [[nodiscard]] T&& item() noexcept {
    if constexpr (moved_unlocked) {
      return std::move(cell_->item);
    } else {
      return std::move(item_of<T>(*entry_));
    }
  }

  CONC_ALWAYS_INLINE ~Getting() {
    if constexpr (moved_unlocked) {
      if (cell_ != nullptr) queue_.store_.give_back(cell_);
    } else if constexpr (kept_in_slot<T>) {
      if (entry_ != nullptr) finish();
    } else if (entry_ != nullptr && in_flight() == exceptions_) {
      cell_ = *entry_;
      finish();
      queue_.store_.give_back(cell_);
    }
  }

 private:
  // How many exceptions are on their way, where the move may add one.
  [[nodiscard]] static int in_flight() noexcept {
    return std::is_nothrow_move_constructible_v<T> ? 0 : std::uncaught_exceptions();
  }

  void finish() noexcept {
    queue_.store_.remove(choice_);
    queue_.core_.get_done();
    hold_.leave();
  }

  QueueEngine& queue_;
  Hold hold_;
  typename Store::Choice choice_{};
  Entry<T>* entry_ = nullptr;
  Cell<T>* cell_ = nullptr;
  const int exceptions_ = in_flight();
};

template <class T, class Order>
QueueVerdict QueueEngine<T, Order>::insert_slow(T& item, Until until, Hold& hold, Memory& memory) {
  Patience patience(until);
  for (;;) {
    if (!core_.may_put()) {
      const QueueVerdict verdict = core_.wait_to_put(patience);
      if (verdict != QueueVerdict::ready) return verdict;
    }
    if (store_.has_place()) {
      place(item);
      return QueueVerdict::ready;
    }
    grow(hold, memory);
  }
}

// Makes places for more items. The memory is allocated while the lock is given up, so others may
// come in between, and may take the room that the caller has seen.
template <class T, class Order>
void QueueEngine<T, Order>::grow(Hold& hold, Memory& memory) {
  const auto lack = store_.lack(core_.maxsize());
  {
    const QueueCore::Unlocked unlocked(hold);
    memory.provide(lack);
  }
  store_.adopt(lack, memory);
}

template <class T, class Order>
QueueVerdict QueueEngine<T, Order>::insert_many(std::span<T> items, Until until,
                                                std::size_t& done) {
  Patience patience(until);
  Memory memory;
  Hold hold(core_);
  done = 0;
  try {
    while (done < items.size()) {
      if (!core_.may_put()) {
        const QueueVerdict verdict = core_.wait_to_put(patience);
        if (verdict != QueueVerdict::ready) return verdict;
      } else if (!store_.has_place()) {
        grow(hold, memory);
      } else {
        place(items[done]);
        ++done;
      }
    }
  } catch (...) {
    if (done == 0) throw;
  }
  return QueueVerdict::ready;
}

template <class T, class Order>
QueueVerdict QueueEngine<T, Order>::extract_many(std::vector<T>& items, std::size_t n,
                                                 Until until) {
  if (n == 0) return QueueVerdict::ready;
  // The places are made without the lock. If there are more items then, more places are made, but
  // once only.
  items.reserve(std::min(n, std::max<std::size_t>(core_.size(), 1)));
  std::vector<Cell<T>*> cells;
  if constexpr (!kept_in_slot<T>) cells.reserve(items.capacity());
  Patience patience(until);
  Hold hold(core_);
  for (bool enough_places = false;;) {
    if (!core_.may_get()) {
      const QueueVerdict verdict = core_.wait_to_get(patience);
      if (verdict != QueueVerdict::ready) {
        hold.leave();
        return verdict;
      }
    }
    const std::size_t wanted = std::min(n, core_.stock());
    if (enough_places || wanted <= items.capacity()) break;
    hold.leave();
    items.reserve(wanted);
    if constexpr (!kept_in_slot<T>) cells.reserve(wanted);
    enough_places = true;
    hold.enter_again();
  }
  std::size_t left = std::min({n, core_.stock(), items.capacity()});
  try {
    for (; left > 0; --left) {
      const auto choice = store_.choose();
      Entry<T>& entry = store_[choice];
      if constexpr (!kept_in_slot<T>) cells.push_back(entry);
      if constexpr (!Getting::moved_unlocked) items.push_back(std::move(item_of<T>(entry)));
      store_.remove(choice);
      core_.get_done();
    }
  } catch (...) {
    // What was taken before is returned; the item that failed stays.
    if constexpr (!kept_in_slot<T>) {
      if (cells.size() > items.size() && !Getting::moved_unlocked) cells.pop_back();
      if (cells.empty()) throw;
    } else {
      if (items.empty()) throw;
    }
  }
  hold.leave();
  if constexpr (!kept_in_slot<T>) {
    if constexpr (Getting::moved_unlocked) {
      for (Cell<T>* const cell : cells) items.push_back(std::move(cell->item));
    }
    store_.give_back(cells);
  }
  return QueueVerdict::ready;
}

}  // namespace conc::detail

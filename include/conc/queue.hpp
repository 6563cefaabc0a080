// Queue: handing items from thread to thread, first in, first out.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/queue_core.hpp>
#include <conc/detail/queue_items.hpp>
#include <conc/detail/queue_order.hpp>
#include <conc/until.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <exception>
#include <iterator>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace conc {

namespace detail {
struct QueueAccess;  // lets select() see the cores of several queues
}

// What Queue, LifoQueue and PriorityQueue have in common, that is, everything but the order in
// which items come out.
//
// Any number of threads may put and get. A bounded queue holds at most maxsize items, and put waits
// while it is full; an unbounded one has always room. Items are moved in and moved out: T need not
// be copyable, and its move may throw.
//
// The forms of put and get differ in what they do when they cannot go on:
//
//   put(item)  get()                 wait as long as it takes
//   put(item, until)  get(until)     wait as long as `until` allows, then throw
//   try_put(item)  try_get()         do not wait, and tell by what they return
//   try_put(item, until)  try_get(until)   wait as long as `until` allows, and tell by what they
//   return
//
// Fairness: waiting threads are woken first come, first woken. A thread that finds an item, or
// room, takes it, even if others still wait, since that is what makes a queue fast; a waiter that
// was overtaken so once is put in front, and has the next item, or room, kept for it. Only a call
// that may not wait (try_get(), a deadline that is past) takes what is kept as well: when it says
// that the queue is empty, or full, then it is.
//
// What runs under the queue's lock, and so must not use the queue: T's move constructor, and the
// comparator of a PriorityQueue. Copy constructors and destructors run outside it, and memory is
// allocated and freed outside it.
//
// Errors: a call that throws has changed nothing. The item of a put that failed is still the
// caller's, and a get that throws has removed nothing, even when it was T's move that threw.
//
// Lifetime: a thread that got an item may destroy the queue although the put() that brought it is
// still on its way out. Nobody may wait in it or begin a call when it is destroyed. Items that are
// left are dropped.
template <class T, class Order>
class BasicQueue {
  static_assert(std::is_object_v<T> && !std::is_const_v<T> && !std::is_array_v<T>,
                "conc: a queue holds objects that it can move in and out.");
  static_assert(std::is_move_constructible_v<T>, "conc: the items of a queue must be movable.");

 public:
  class iterator;
  using value_type = T;

  BasicQueue(const BasicQueue&) = delete;
  BasicQueue& operator=(const BasicQueue&) = delete;

  // ---- Putting

  // Puts the item into the queue. Blocks while it is full.
  // Throws ShutDown, also when the queue is shut down while it waits; std::bad_alloc; what T's
  // constructors throw. The item is then the caller's as before. Synchronizes: with the get() that
  // returns the item. Cost: one atomic read-modify-write when it need not wait. Allocates when the
  // queue has never held so many items. Python: put(item)
  void put(T&& item) { put(std::move(item), forever); }
  void put(const T& item) requires std::copy_constructible<T> { put(item, forever); }

  // The same, but gives up as `until` says: throws Full, or Stopped when a stop was requested.
  // Python: put(item, timeout=...), put_nowait(item)
  void put(T&& item, Until until) {
    const detail::QueueVerdict verdict = insert(item, until);
    if (verdict != detail::QueueVerdict::ready) [[unlikely]]
      core_.throw_from_put(verdict);
  }
  void put(const T& item, Until until) requires std::copy_constructible<T> {
    T copy(item);
    put(std::move(copy), until);
  }

  // The same, but tells by what it returns: false when there was no room in time, a stop was
  // requested, or the queue is shut down. Moves from the item only when it returns true. Throws
  // std::bad_alloc and what T's constructors throw. Python: put(item, block=False), without the
  // exception
  [[nodiscard]] bool try_put(T&& item, Until until = at_once) {
    return insert(item, until) == detail::QueueVerdict::ready;
  }
  [[nodiscard]] bool try_put(const T& item,
                             Until until = at_once) requires std::copy_constructible<T> {
    T copy(item);
    return try_put(std::move(copy), until);
  }

  // Puts the items, in their order. Blocks while the queue is full. When it is bounded, others'
  // items may come between. Returns how many were put: these were moved from, and the others are
  // the caller's as before. That is all of them, unless `until` gave up, the queue was shut down,
  // or an exception ended it after the first. Throws ShutDown, std::bad_alloc and what T's move
  // throws, when it has put none. Cost: one atomic read-modify-write for all that there is room
  // for.
  std::size_t put_many(std::span<T> items, Until until = forever);

  // ---- Getting

  // Takes the next item out of the queue and returns it. Blocks while there is none.
  // Throws ShutDown when there is none and the queue is shut down; what T's move throws, and the
  // item stays. Synchronizes: with the put() of the item. Cost: one atomic read-modify-write when
  // it need not wait, and one more if T has a destructor. Python: get()
  [[nodiscard]] T get() { return get(forever); }

  // The same, but gives up as `until` says: throws Empty, or Stopped when a stop was requested.
  // Python: get(timeout=...), get_nowait()
  [[nodiscard]] T get(Until until) {
    Getting getting(*this);
    const detail::QueueVerdict verdict = getting.begin(until);
    if (verdict != detail::QueueVerdict::ready) [[unlikely]]
      core_.throw_from_get(verdict);
    return T(getting.item());
  }

  // The same, but tells by what it returns: nothing when there was no item in time, a stop was
  // requested, or the queue is shut down and empty. So `while (auto job = queue.try_get(token))
  // run(*job);` ends in every case. Throws what T's move throws, and the item stays. Python:
  // get(block=False), without the exception
  [[nodiscard]] std::optional<T> try_get(Until until = at_once) {
    Getting getting(*this);
    if (getting.begin(until) != detail::QueueVerdict::ready) return std::optional<T>();
    return std::optional<T>(std::in_place, getting.item());
  }

  // Takes the next items out of the queue, as many as there are but at most n, and returns them in
  // their order. Blocks while there is none. For n = 0 returns at once. Throws what get(until)
  // throws; std::bad_alloc, and nothing was taken. Cost: as one get(), and the vector's allocation.
  [[nodiscard]] std::vector<T> get_many(std::size_t n, Until until = forever) {
    std::vector<T> items;
    const detail::QueueVerdict verdict = extract_many(items, n, until);
    if (verdict != detail::QueueVerdict::ready) [[unlikely]]
      core_.throw_from_get(verdict);
    return items;
  }

  // The same, but returns an empty vector where that throws Empty, Stopped or ShutDown.
  [[nodiscard]] std::vector<T> try_get_many(std::size_t n, Until until = at_once) {
    std::vector<T> items;
    static_cast<void>(extract_many(items, n, until));
    return items;
  }

  // Takes items until the queue is shut down and empty: `for (auto& item : queue) ...`. Each item
  // lives in the iterator until the next is taken. Any number of threads may do so at once; each
  // item goes to one of them. begin() blocks for the first item, as ++ does for the next.
  [[nodiscard]] iterator begin() { return iterator(*this); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

  // ---- Looking

  // How many items are in the queue, at some moment during the call.
  // Cost: one atomic load.
  // Python: qsize(), empty(), full()
  [[nodiscard]] std::size_t size() const noexcept { return core_.size(); }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] bool full() const noexcept { return maxsize() != 0 && size() >= maxsize(); }

  // How many items it holds at most; 0 when there is no limit.
  // Python: maxsize
  [[nodiscard]] std::size_t maxsize() const noexcept { return core_.maxsize(); }

  [[nodiscard]] const char* name() const noexcept { return core_.name(); }

  // Waits until there is an item, and leaves it there: another thread may get it first.
  // Throws ShutDown when there is none and the queue is shut down.
  void wait_not_empty() { static_cast<void>(wait_not_empty(forever)); }

  // The same, but gives up as `until` says; false then.
  [[nodiscard]] bool wait_not_empty(Until until) {
    const detail::QueueVerdict verdict = core_.wait_not_empty(until);
    if (verdict == detail::QueueVerdict::shut_down) [[unlikely]]
      core_.throw_from_get(verdict);
    return verdict == detail::QueueVerdict::ready;
  }

  // ---- Unfinished work

  // Says that the work on an item that was got is done. Never blocks.
  // Throws UsageError when it is called more often than items were put; nothing is changed then.
  // Synchronizes: with the join() that returns because of it.
  // Python: task_done()
  void task_done() { core_.task_done(); }

  // Waits until there was a task_done() for every item that was put. Blocks until then.
  // Python: join()
  void join() { static_cast<void>(core_.join(forever)); }

  // The same, but gives up as `until` says; false then.
  [[nodiscard]] bool join(Until until) { return core_.join(until); }

  // ---- Ending

  // Lets no more items in: every put, waiting or later, throws ShutDown. What is in the queue may
  // still be got; when there is no more, every get, waiting or later, throws ShutDown. With
  // `immediate`, what is in the queue is dropped as if it had been got and done. May be called
  // again. Never blocks. Python: shutdown(immediate)
  void shutdown(bool immediate = false) {
    Hold hold(core_);
    if (!immediate) {
      core_.shut_down(false, hold);
      return;
    }
    [[maybe_unused]] auto dropped = order_.take_all();
    core_.shut_down(true, hold);
    if constexpr (!detail::kept_in_slot<T>) {
      dropped.for_each(
          [&pool = cells_](typename Order::Slot& slot) { pool.give_back(detail::entry_in(slot)); });
    }
  }

 protected:
  // `type` is the class's name for messages; `name`, which must outlive the queue, is shown in
  // dumps and messages.
  BasicQueue(const char* type, std::size_t maxsize, const char* name, Order order = Order())
      : order_(std::move(order)), core_(type, maxsize, name) {}

  ~BasicQueue() { shutdown(true); }

 private:
  friend struct detail::Inspect;
  friend struct detail::QueueAccess;

  using Hold = detail::QueueCore::Hold;
  struct NoCells {
    struct Slabs {};
  };
  using Cells = std::conditional_t<detail::kept_in_slot<T>, NoCells, detail::CellPool<T>>;

  [[nodiscard]] bool has_place() noexcept {
    if constexpr (!detail::kept_in_slot<T>) {
      if (!cells_.has_spare()) return false;
    }
    return order_.has_slot();
  }

  CONC_ALWAYS_INLINE detail::QueueVerdict insert(T& item, Until until) {
    Memory memory;
    Hold hold(core_);
    if (!core_.may_put() || !has_place()) [[unlikely]] {
      return insert_slow(item, until, hold, memory);
    }
    place(item);
    return detail::QueueVerdict::ready;
  }

  void place(T& item) {
    const auto place = order_.place_for(item);
    if constexpr (detail::kept_in_slot<T>) {
      order_.insert(place, std::move(item));
    } else {
      order_.insert(place, cells_.fill(std::move(item)));
    }
    core_.put_done();
  }

  // Storage that is not in use yet, or no more. Outlives the Hold beside it, so that it is freed
  // without the lock.
  struct Memory {
    typename Order::Slots slots;
    typename Cells::Slabs slabs;
  };

  detail::QueueVerdict extract_many(std::vector<T>& items, std::size_t n, Until until);
  CONC_COLD detail::QueueVerdict insert_slow(T& item, Until until, Hold& hold, Memory& memory);
  void grow(Hold& hold, Memory& memory);

  class Getting;

  Order order_;
  [[no_unique_address]] Cells cells_;
  detail::QueueCore core_;
};

// One get, from taking the lock to giving it back: `begin`, then move from `item`. The item leaves
// the queue when the Getting is destroyed, unless moving it threw. So the item is moved once, into
// the value that the call returns.
template <class T, class Order>
class BasicQueue<T, Order>::Getting {
 public:
  // A move that cannot throw is made after the item has left the queue, without the lock.
  static constexpr bool moved_unlocked =
      !detail::kept_in_slot<T> && std::is_nothrow_move_constructible_v<T>;

  CONC_ALWAYS_INLINE explicit Getting(BasicQueue& queue) : queue_(queue), hold_(queue.core_) {}
  Getting(const Getting&) = delete;
  Getting& operator=(const Getting&) = delete;

  // When it returns `ready`, there is an item, else nothing is held any more.
  CONC_ALWAYS_INLINE detail::QueueVerdict begin(Until until) {
    detail::QueueCore& core = queue_.core_;
    if (!core.may_get()) [[unlikely]] {
      const detail::QueueVerdict verdict = core.wait_to_get(until);
      if (verdict != detail::QueueVerdict::ready) {
        hold_.leave();
        return verdict;
      }
    }
    choice_ = queue_.order_.choose();
    entry_ = &queue_.order_[choice_];
    if constexpr (moved_unlocked) {
      cell_ = *entry_;
      finish();
    }
    return detail::QueueVerdict::ready;
  }

  [[nodiscard]] T&& item() noexcept {
    if constexpr (moved_unlocked) {
      return std::move(cell_->item);
    } else {
      return std::move(detail::item_of<T>(*entry_));
    }
  }

  CONC_ALWAYS_INLINE ~Getting() {
    if constexpr (moved_unlocked) {
      if (cell_ != nullptr) queue_.cells_.give_back(cell_);
    } else if constexpr (detail::kept_in_slot<T>) {
      if (entry_ != nullptr) finish();
    } else if (entry_ != nullptr && in_flight() == exceptions_) {
      cell_ = *entry_;
      finish();
      queue_.cells_.give_back(cell_);
    }
  }

 private:
  // How many exceptions are on their way, where the move may add one.
  [[nodiscard]] static int in_flight() noexcept {
    return std::is_nothrow_move_constructible_v<T> ? 0 : std::uncaught_exceptions();
  }

  void finish() noexcept {
    queue_.order_.remove(choice_);
    queue_.core_.get_done();
    hold_.leave();
  }

  BasicQueue& queue_;
  Hold hold_;
  typename Order::Choice choice_{};
  detail::Entry<T>* entry_ = nullptr;
  detail::Cell<T>* cell_ = nullptr;
  const int exceptions_ = in_flight();
};

template <class T, class Order>
detail::QueueVerdict BasicQueue<T, Order>::insert_slow(T& item, Until until, Hold& hold,
                                                       Memory& memory) {
  detail::Patience patience(until);
  for (;;) {
    if (!core_.may_put()) {
      const detail::QueueVerdict verdict = core_.wait_to_put(patience);
      if (verdict != detail::QueueVerdict::ready) return verdict;
    }
    if (has_place()) {
      place(item);
      return detail::QueueVerdict::ready;
    }
    grow(hold, memory);
  }
}

// Makes places for more items. The memory is allocated while the lock is given up, so others may
// come in between, and may take the room that the caller has seen.
template <class T, class Order>
void BasicQueue<T, Order>::grow(Hold& hold, Memory& memory) {
  using Slots = typename Order::Slots;
  [[maybe_unused]] std::size_t cells_before = 0;
  const std::size_t slots =
      order_.has_slot() ? 0 : detail::grown<typename Order::Slot>(order_.capacity(), maxsize());
  if constexpr (detail::kept_in_slot<T>) {
    const detail::QueueCore::Unlocked unlocked(hold);
    Slots fresh(slots);
    memory.slots.swap(fresh);
  } else {
    const std::size_t cells = cells_.has_spare() ? 0 : cells_.lack(maxsize());
    cells_before = cells_.made();
    const detail::QueueCore::Unlocked unlocked(hold);
    Slots fresh(slots);
    memory.slots.swap(fresh);
    typename Cells::Slabs slabs;
    if (cells != 0) slabs.emplace_front(cells);
    memory.slabs.swap(slabs);
  }
  // Others may have made places meanwhile. Cells that others only gave back are no reason to do
  // without the new ones: they would lack again at the next turn, and cost an allocation each time.
  if (memory.slots.size() > order_.capacity()) order_.adopt(memory.slots);
  if constexpr (!detail::kept_in_slot<T>) {
    if (!memory.slabs.empty() && cells_.made() == cells_before) cells_.adopt(memory.slabs);
  }
}

template <class T, class Order>
std::size_t BasicQueue<T, Order>::put_many(std::span<T> items, Until until) {
  std::size_t done = 0;
  auto verdict = detail::QueueVerdict::ready;
  detail::Patience patience(until);
  Memory memory;
  Hold hold(core_);
  try {
    while (done < items.size()) {
      if (!core_.may_put()) {
        verdict = core_.wait_to_put(patience);
        if (verdict != detail::QueueVerdict::ready) break;
      } else if (!has_place()) {
        grow(hold, memory);
      } else {
        place(items[done]);
        ++done;
      }
    }
  } catch (...) {
    if (done == 0) throw;
  }
  hold.leave();
  if (done == 0 && verdict == detail::QueueVerdict::shut_down) core_.throw_from_put(verdict);
  return done;
}

template <class T, class Order>
detail::QueueVerdict BasicQueue<T, Order>::extract_many(std::vector<T>& items, std::size_t n,
                                                        Until until) {
  if (n == 0) return detail::QueueVerdict::ready;
  // The places are made without the lock. If there are more items then, more places are made, but
  // once only.
  items.reserve(std::min(n, std::max<std::size_t>(size(), 1)));
  std::vector<detail::Cell<T>*> cells;
  if constexpr (!detail::kept_in_slot<T>) cells.reserve(items.capacity());
  Hold hold(core_);
  for (bool enough_places = false;;) {
    if (!core_.may_get()) {
      const detail::QueueVerdict verdict = core_.wait_to_get(until);
      if (verdict != detail::QueueVerdict::ready) {
        hold.leave();
        return verdict;
      }
    }
    const std::size_t wanted = std::min(n, core_.stock());
    if (enough_places || wanted <= items.capacity()) break;
    hold.leave();
    items.reserve(wanted);
    if constexpr (!detail::kept_in_slot<T>) cells.reserve(wanted);
    enough_places = true;
    hold.enter_again();
  }
  std::size_t left = std::min({n, core_.stock(), items.capacity()});
  try {
    for (; left > 0; --left) {
      const auto choice = order_.choose();
      detail::Entry<T>& entry = order_[choice];
      if constexpr (!detail::kept_in_slot<T>) cells.push_back(entry);
      if constexpr (!Getting::moved_unlocked) items.push_back(std::move(detail::item_of<T>(entry)));
      order_.remove(choice);
      core_.get_done();
    }
  } catch (...) {
    // What was taken before is returned; the item that failed stays.
    if constexpr (!detail::kept_in_slot<T>) {
      if (cells.size() > items.size() && !Getting::moved_unlocked) cells.pop_back();
      if (cells.empty()) throw;
    } else {
      if (items.empty()) throw;
    }
  }
  hold.leave();
  if constexpr (!detail::kept_in_slot<T>) {
    for (detail::Cell<T>* const cell : cells) {
      if constexpr (Getting::moved_unlocked) items.push_back(std::move(cell->item));
      cells_.give_back(cell);
    }
  }
  return detail::QueueVerdict::ready;
}

// An input iterator, as the standard has it: it can be moved, but not copied.
template <class T, class Order>
class BasicQueue<T, Order>::iterator {
 public:
  using iterator_concept = std::input_iterator_tag;
  using value_type = T;
  using difference_type = std::ptrdiff_t;

  explicit iterator(BasicQueue& queue) : queue_(&queue) { ++*this; }

  [[nodiscard]] T& operator*() const noexcept { return *item_; }
  [[nodiscard]] T* operator->() const noexcept { return &*item_; }

  iterator& operator++() {
    item_.reset();
    Getting getting(*queue_);
    if (getting.begin(forever) == detail::QueueVerdict::ready) item_.emplace(getting.item());
    return *this;
  }
  void operator++(int) { ++*this; }

  [[nodiscard]] friend bool operator==(const iterator& it, std::default_sentinel_t) noexcept {
    return !it.item_.has_value();
  }

 private:
  BasicQueue* queue_;
  mutable std::optional<T> item_;
};

// First in, first out, across all threads: an item whose put() returned before another's began
// comes out before it.
//
//   conc::Queue<Job> jobs(100);
//   jobs.put(job);                            // the producers
//   jobs.shutdown();                          // when there is no more
//   for (Job& next : jobs) run(next);         // the consumers
//
// Python: queue.Queue. Names as there; maxsize is no attribute but a function, Until takes the
// place of block and timeout, and a negative maxsize cannot be written.
template <class T>
class Queue final : public BasicQueue<T, detail::FifoOrder<T>> {
 public:
  // Holds at most `maxsize` items; 0: as many as there is memory for. `name`, which must outlive
  // the queue, is shown in dumps and errors. Allocates nothing.
  explicit Queue(std::size_t maxsize = 0, const char* name = nullptr) noexcept
      : BasicQueue<T, detail::FifoOrder<T>>("Queue", maxsize, name) {}
};

namespace detail {

struct QueueAccess {
  template <class T, class Order>
  static QueueCore& core(BasicQueue<T, Order>& queue) noexcept {
    return queue.core_;
  }

  // select(queues..., until), taken apart.
  template <class... Arguments, std::size_t... Is>
  static QueueVerdict select(std::tuple<Arguments&...> arguments, std::index_sequence<Is...>,
                             Until until, std::size_t& index) {
    const std::array<QueueCore*, sizeof...(Is)> cores{&core(std::get<Is>(arguments))...};
    std::array<QueueCore::Watcher, sizeof...(Is)> watchers;
    return QueueCore::select(cores, watchers, until, index);
  }

  template <class... Arguments>
  static QueueVerdict select(std::tuple<Arguments&...> arguments, Until otherwise,
                             std::size_t& index) {
    constexpr std::size_t last = sizeof...(Arguments) - 1;
    using Last = std::tuple_element_t<last, std::tuple<Arguments&...>>;
    if constexpr (std::convertible_to<Last, Until>) {
      return select(arguments, std::make_index_sequence<last>(), Until(std::get<last>(arguments)),
                    index);
    } else {
      return select(arguments, std::make_index_sequence<last + 1>(), otherwise, index);
    }
  }
};

}  // namespace detail

// select(queues..., until): waits until one of the queues, of any kinds and items, has an item, and
// returns its index in the argument list; the first of several. The item stays there, so another
// thread may get it before the caller does:
//
//   for (;;) switch (conc::select(orders, news)) {
//     case 0: if (auto order = orders.try_get()) serve(*order); break;
//     case 1: if (auto item = news.try_get()) read(*item); break;
//   }
//
// Blocks while all are empty; a queue that is shut down and empty no longer counts. `until`, the
// last argument, may be left out: as long as it takes. Throws ShutDown when all are shut down and
// empty; Empty or Stopped when `until` gave up. Cost: one lock a queue, and twice that when it has
// to wait. Allocates nothing.
template <class... Arguments>
std::size_t select(Arguments&&... queues_and_until) {
  std::size_t index = 0;
  const detail::QueueVerdict verdict =
      detail::QueueAccess::select(std::tie(queues_and_until...), forever, index);
  if (verdict != detail::QueueVerdict::ready) detail::throw_from_select(verdict);
  return index;
}

// The same, but does not wait when `until` is left out, and returns nothing where select() throws.
template <class... Arguments>
[[nodiscard]] std::optional<std::size_t> try_select(Arguments&&... queues_and_until) {
  std::size_t index = 0;
  const detail::QueueVerdict verdict =
      detail::QueueAccess::select(std::tie(queues_and_until...), at_once, index);
  if (verdict != detail::QueueVerdict::ready) return std::nullopt;
  return index;
}

}  // namespace conc

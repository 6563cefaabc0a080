// BasicQueue: what Queue, LifoQueue and PriorityQueue have in common.
#pragma once

#include <conc/detail/queue_core.hpp>
#include <conc/detail/queue_engine.hpp>
#include <conc/detail/queue_iterator.hpp>
#include <conc/errors.hpp>
#include <conc/until.hpp>

#include <concepts>
#include <cstddef>
#include <iterator>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace conc {

namespace detail {
struct QueueAccess;  // lets select() see the cores of several queues
}

// A queue, but for the order in which items come out; see conc/queue.hpp, conc/lifo_queue.hpp and
// conc/priority_queue.hpp.
//
// Any number of threads may put and get. A bounded queue holds at most maxsize items, and put waits
// while it is full; an unbounded one has always room. Items are moved in and moved out: T need not
// be copyable, and its move may throw.
//
// The forms of put and get differ in what they do when they cannot go on:
//
//   put(item)             get()             wait as long as it takes
//   put(item, until)      get(until)        wait as long as `until` allows, then throw
//   try_put(item)         try_get()         do not wait, and tell by what they return
//   try_put(item, until)  try_get(until)    wait as long as `until` allows, and tell likewise
//
// Fairness: waiting threads are woken first come, first woken. A thread that finds an item, or
// room, takes it, even if others still wait, since that is what makes a queue fast; a waiter that
// was overtaken so once is put in front, and has the next item, or room, kept for it. Only a call
// that may not wait (try_get(), a deadline that is past) takes what is kept as well: when it says
// that the queue is empty, or full, then it is.
//
// What runs under the queue's lock, and so must not use the queue: T's move constructor, or the
// copy constructor of a T that has no other, and the comparator of a PriorityQueue. Other copy
// constructors and destructors run outside it, and memory is allocated and freed outside it.
//
// Errors: a call that throws has changed nothing. The item of a put that failed is still the
// caller's, and a get that throws has removed nothing, even when it was T's move that threw. (An
// argument of another type is no item: it is converted to one first, which a put that fails drops.)
//
// Lifetime: a thread that got an item may destroy the queue although the put() that brought it is
// still on its way out. Nobody may wait in it or begin a call when it is destroyed. Items that are
// left are dropped.
template <class T, class Order>
class BasicQueue {
  static_assert(std::is_object_v<T> && !std::is_const_v<T> && !std::is_array_v<T>,
                "conc: a queue holds objects that it can move in and out.");
  static_assert(std::is_move_constructible_v<T>, "conc: the items of a queue must be movable.");

  using Engine = detail::QueueEngine<T, Order>;
  using Getting = typename Engine::Getting;

 public:
  using iterator = detail::QueueIterator<T, Order>;
  using value_type = T;

  BasicQueue(const BasicQueue&) = delete;
  BasicQueue& operator=(const BasicQueue&) = delete;

  // ---- Putting

  // Puts the item into the queue. Blocks while it is full.
  // Throws ShutDown, also when the queue is shut down while it waits; std::bad_alloc; what T's
  // constructors throw. The item is then the caller's as before.
  // Synchronizes: with the get() that returns the item.
  // Cost: one atomic read-modify-write when it need not wait. Allocates when the queue has never
  // held so many items.
  // Python: put(item)
  void put(T&& item) { put(std::move(item), forever); }
  void put(const T& item) requires std::copy_constructible<T> { put(item, forever); }

  // The same, but gives up as `until` says: throws Full, or Stopped when a stop was requested.
  // Python: put(item, timeout=...), put_nowait(item)
  void put(T&& item, Until until) {
    const detail::QueueVerdict verdict = engine_.insert(item, until);
    if (verdict != detail::QueueVerdict::ready) [[unlikely]]
      core().throw_from_put(verdict);
  }
  void put(const T& item, Until until) requires std::copy_constructible<T> {
    T copy(item);
    put(std::move(copy), until);
  }

  // The same, but tells by what it returns: false when there was no room in time, a stop was
  // requested, or the queue is shut down. Moves from the item only when it returns true.
  // Throws std::bad_alloc and what T's constructors throw.
  // Python: put(item, block=False), without the exception
  [[nodiscard]] bool try_put(T&& item, Until until = at_once) {
    return engine_.insert(item, until) == detail::QueueVerdict::ready;
  }
  [[nodiscard]] bool try_put(const T& item,
                             Until until = at_once) requires std::copy_constructible<T> {
    T copy(item);
    return try_put(std::move(copy), until);
  }

  // Puts the items, in their order. Blocks while the queue is full. When it is bounded, others'
  // items may come between. Returns how many were put: these were moved from, and the others are
  // the caller's as before. That is all of them, unless `until` gave up, the queue was shut down,
  // or an exception ended it after the first.
  // Throws ShutDown, std::bad_alloc and what T's move throws, when it has put none.
  // Cost: one atomic read-modify-write for all that there is room for.
  std::size_t put_many(std::span<T> items, Until until = forever) {
    std::size_t done = 0;
    const detail::QueueVerdict verdict = engine_.insert_many(items, until, done);
    if (done == 0 && verdict == detail::QueueVerdict::shut_down) core().throw_from_put(verdict);
    return done;
  }

  // ---- Getting

  // Takes the next item out of the queue and returns it. Blocks while there is none.
  // Throws ShutDown when there is none and the queue is shut down; what T's move throws, and the
  // item stays; std::bad_alloc when it has to wait, at the thread's first contact with the library.
  // Synchronizes: with the put() of the item.
  // Cost: one atomic read-modify-write when it need not wait, and one more if T has a destructor,
  // but for the standard library's strings, vectors and pointers.
  // Python: get()
  [[nodiscard]] T get() { return get(forever); }

  // The same, but gives up as `until` says: throws Empty, or Stopped when a stop was requested.
  // Python: get(timeout=...), get_nowait()
  [[nodiscard]] T get(Until until) {
    Getting getting(engine_);
    const detail::QueueVerdict verdict = getting.begin(until);
    if (verdict != detail::QueueVerdict::ready) [[unlikely]]
      core().throw_from_get(verdict);
    return T(getting.item());
  }

  // The same, but tells by what it returns: nothing when there was no item in time, a stop was
  // requested, or the queue is shut down and empty. So
  //   while (auto job = queue.try_get(token)) run(*job);
  // ends in every case.
  // Throws what T's move throws, and the item stays.
  // Python: get(block=False), without the exception
  [[nodiscard]] std::optional<T> try_get(Until until = at_once) {
    Getting getting(engine_);
    if (getting.begin(until) != detail::QueueVerdict::ready) return std::optional<T>();
    return std::optional<T>(std::in_place, getting.item());
  }

  // Takes the next items out of the queue, as many as there are but at most n, and returns them in
  // their order. Blocks while there is none. For n = 0 returns at once.
  // Throws what get(until) throws; std::bad_alloc, and nothing was taken.
  // Cost: as one get(), and the vector's allocation.
  [[nodiscard]] std::vector<T> get_many(std::size_t n, Until until = forever) {
    std::vector<T> items;
    const detail::QueueVerdict verdict = engine_.extract_many(items, n, until);
    if (verdict != detail::QueueVerdict::ready) [[unlikely]]
      core().throw_from_get(verdict);
    return items;
  }

  // The same, but returns an empty vector where that throws Empty, Stopped or ShutDown.
  [[nodiscard]] std::vector<T> try_get_many(std::size_t n, Until until = at_once) {
    std::vector<T> items;
    static_cast<void>(engine_.extract_many(items, n, until));
    return items;
  }

  // Takes items until the queue is shut down and empty: `for (auto& item : queue) ...`. Each item
  // lives in the iterator until the next is taken. Any number of threads may do so at once; each
  // item goes to one of them. begin() blocks for the first item, as ++ does for the next.
  [[nodiscard]] iterator begin() { return iterator(engine_); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

  // ---- Looking

  // How many items are in the queue, at some moment during the call.
  // Cost: one atomic load.
  // Python: qsize(), empty(), full()
  [[nodiscard]] std::size_t size() const noexcept { return core().size(); }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] bool full() const noexcept { return maxsize() != 0 && size() >= maxsize(); }

  // How many items it holds at most; 0 when there is no limit.
  // Python: maxsize
  [[nodiscard]] std::size_t maxsize() const noexcept { return core().maxsize(); }

  [[nodiscard]] const char* name() const noexcept { return core().name(); }

  // Waits until there is an item, and leaves it there: another thread may get it first.
  // Throws ShutDown when there is none and the queue is shut down.
  void wait_not_empty() { static_cast<void>(wait_not_empty(forever)); }

  // The same, but gives up as `until` says; false then.
  [[nodiscard]] bool wait_not_empty(Until until) {
    const detail::QueueVerdict verdict = core().wait_not_empty(until);
    if (verdict == detail::QueueVerdict::shut_down) [[unlikely]]
      core().throw_from_get(verdict);
    return verdict == detail::QueueVerdict::ready;
  }

  // ---- Unfinished work

  // Says that the work on an item that was got, or on n of them, is done. Never blocks.
  // Throws UsageError when it is said of more items than were put; nothing is changed then.
  // Synchronizes: with the join() that returns because of it.
  // Python: task_done()
  void task_done(std::size_t n = 1) { core().task_done(n); }

  // Waits until there was a task_done() for every item that was put. Blocks until then.
  // Python: join()
  void join() { static_cast<void>(core().join(forever)); }

  // The same, but gives up as `until` says; false then.
  [[nodiscard]] bool join(Until until) { return core().join(until); }

  // ---- Ending

  // Lets no more items in: every put, waiting or later, throws ShutDown. What is in the queue may
  // still be got; when there is no more, every get, waiting or later, throws ShutDown. With
  // `immediate`, what is in the queue is dropped as if it had been got and done. May be called
  // again. Never blocks.
  // Python: shutdown(immediate)
  void shutdown(bool immediate = false) { engine_.shut_down(immediate); }

 protected:
  // `type` is the class's name for messages; `name`, which must outlive the queue, is shown in
  // dumps and messages.
  BasicQueue(const char* type, std::size_t maxsize, const char* name, Order order = Order())
      : engine_(type, maxsize, name, std::move(order)) {}

  ~BasicQueue() = default;

 private:
  friend struct detail::Inspect;
  friend struct detail::QueueAccess;

  [[nodiscard]] detail::QueueCore& core() noexcept { return engine_.core(); }
  [[nodiscard]] const detail::QueueCore& core() const noexcept { return engine_.core(); }

  Engine engine_;
};

}  // namespace conc

// PriorityQueue: handing items from thread to thread, the smallest first.
#pragma once

#include <conc/basic_queue.hpp>
#include <conc/detail/priority_order.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

namespace conc {

// get() takes an item than which no other is smaller, as Compare has it (std::greater: the greatest
// first); among equals the one that was put first. What else it can do is in BasicQueue,
// conc/basic_queue.hpp.
//
//   conc::PriorityQueue<std::pair<int, std::string>> jobs;
//   jobs.put({2, "sweep"});
//   jobs.put({1, "wash up"});       // comes out first
//
// The comparator must be a strict weak order, and must not change while items are in the queue. It
// runs under the queue's lock, so it must not use the queue. When it throws, put and get throw
// that, and have changed nothing.
//
// Cost: O(log n) comparisons for put and get.
// Python: queue.PriorityQueue. Unlike there, equal items come out in the order in which they were
// put.
template <class T, class Compare = std::less<T>>
class PriorityQueue final : public BasicQueue<T, detail::PriorityOrder<T, Compare>> {
  static_assert(
      std::strict_weak_order<const Compare&, const T&, const T&>,
      "conc: the comparator of a PriorityQueue must be callable as const, with two items.");

  using Order = detail::PriorityOrder<T, Compare>;

 public:
  // Holds at most `maxsize` items; 0: as many as there is memory for. `name`, which must outlive
  // the queue, is shown in dumps and errors. Allocates nothing.
  explicit PriorityQueue(std::size_t maxsize,
                         const char* name = nullptr) requires std::default_initializable<Compare>
      : BasicQueue<T, Order>("PriorityQueue", maxsize, name) {}

  // The same, with a comparator that is not made by default.
  PriorityQueue(std::size_t maxsize, Compare compare, const char* name = nullptr)
      : BasicQueue<T, Order>("PriorityQueue", maxsize, name, Order(std::move(compare))) {}

  // Without a bound.
  PriorityQueue() requires std::default_initializable<Compare> : PriorityQueue(0) {}
};

}  // namespace conc

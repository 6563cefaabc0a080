// LifoQueue: handing items from thread to thread, last in, first out.
#pragma once

#include <conc/basic_queue.hpp>
#include <conc/detail/queue_order.hpp>

#include <cstddef>

namespace conc {

// A stack: get() takes the item that was put last. What else it can do is in
// BasicQueue, conc/basic_queue.hpp.
//
// Python: queue.LifoQueue
template <class T>
class LifoQueue final : public BasicQueue<T, detail::LifoOrder<T>> {
 public:
  // Holds at most `maxsize` items; 0: as many as there is memory for. `name`, which must outlive
  // the queue, is shown in dumps and errors. Allocates nothing.
  explicit LifoQueue(std::size_t maxsize, const char* name = nullptr) noexcept
      : BasicQueue<T, detail::LifoOrder<T>>("LifoQueue", maxsize, name) {}

  // Without a bound.
  LifoQueue() noexcept : LifoQueue(0) {}
};

}  // namespace conc

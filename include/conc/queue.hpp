// Queue: handing items from thread to thread, first in, first out.
#pragma once

#include <conc/basic_queue.hpp>
#include <conc/detail/queue_order.hpp>
#include <conc/select.hpp>

#include <cstddef>

namespace conc {

// First in, first out, across all threads: an item whose put() returned before another's began
// comes out before it. What it can do is in BasicQueue, conc/basic_queue.hpp.
//
//   conc::Queue<Job> jobs(100);
//   jobs.put(job);                            // the producers
//   jobs.shutdown();                          // when there is no more
//   for (Job& next : jobs) run(next);         // the consumers
//
// Python: queue.Queue. Names as there; maxsize is no attribute but a function, Until takes the
// place of block and timeout, and a negative maxsize is taken for a very large one.
template <class T>
class Queue final : public BasicQueue<T, detail::FifoOrder<T>> {
 public:
  // Holds at most `maxsize` items; 0: as many as there is memory for. `name`, which must outlive
  // the queue, is shown in dumps and errors. Allocates nothing.
  explicit Queue(std::size_t maxsize, const char* name = nullptr) noexcept
      : BasicQueue<T, detail::FifoOrder<T>>("Queue", maxsize, name) {}

  // Without a bound.
  Queue() noexcept : Queue(0) {}
};

}  // namespace conc

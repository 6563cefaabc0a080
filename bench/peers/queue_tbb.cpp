// oneTBB's bounded queue, and its priority queue, which has no pop that blocks: these rows never
// find it empty.

#include <oneapi/tbb/concurrent_priority_queue.h>
#include <oneapi/tbb/concurrent_queue.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>

#include "queue_rows.hpp"

namespace {

template <class T>
class Fifo {
 public:
  using value_type = T;

  explicit Fifo(std::size_t maxsize) {
    if (maxsize != 0) items_.set_capacity(static_cast<std::ptrdiff_t>(maxsize));
  }
  void put(T item) { items_.push(std::move(item)); }
  T get() {
    T item{};
    items_.pop(item);
    return item;
  }

 private:
  tbb::concurrent_bounded_queue<T> items_;
};

// Its greatest comes first, so it is given the opposite order.
class Priority {
 public:
  using value_type = std::int64_t;

  explicit Priority(std::size_t) {}
  void put(std::int64_t item) { items_.push(item); }
  std::int64_t get() {
    std::int64_t item = 0;
    while (!items_.try_pop(item)) std::this_thread::yield();
    return item;
  }

 private:
  tbb::concurrent_priority_queue<std::int64_t, std::greater<std::int64_t>> items_;
};

[[maybe_unused]] const bool registered =
    conc::bench::all_fifo_rows<Fifo>("_tbb") && conc::bench::priority_rows<Priority>("_tbb");

}  // namespace

// moodycamel's blocking queue. It keeps the order of each producer only, and no bound, so it has
// the unbounded rows alone.

#include <blockingconcurrentqueue.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "queue_rows.hpp"

namespace {

template <class T>
class Fifo {
 public:
  using value_type = T;

  explicit Fifo(std::size_t) {}
  void put(T item) { items_.enqueue(std::move(item)); }
  T get() {
    T item{};
    items_.wait_dequeue(item);
    return item;
  }

 private:
  moodycamel::BlockingConcurrentQueue<T> items_;
};

[[maybe_unused]] const bool registered =
    conc::bench::unbounded_fifo_rows<Fifo<std::int64_t>>("Queue_Int", "_moodycamel") &&
    conc::bench::unbounded_fifo_rows<Fifo<std::string>>("Queue_String", "_moodycamel") &&
    conc::bench::hand_off_rows<Fifo<std::int64_t>>("Queue_Int", "_moodycamel");

}  // namespace

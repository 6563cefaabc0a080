// Boost's synchronized queues.

#define BOOST_THREAD_VERSION 4  // which has them
#include <boost/thread/concurrent_queues/sync_bounded_queue.hpp>
#include <boost/thread/concurrent_queues/sync_priority_queue.hpp>
#include <boost/thread/concurrent_queues/sync_queue.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "queue_rows.hpp"

namespace {

// One class for a bound and for none.
template <class T>
class Fifo {
 public:
  using value_type = T;

  explicit Fifo(std::size_t maxsize) {
    if (maxsize != 0) bounded_.emplace(maxsize);
  }
  void put(T item) { bounded_ ? bounded_->push(std::move(item)) : items_.push(std::move(item)); }
  T get() { return bounded_ ? bounded_->pull() : items_.pull(); }

 private:
  boost::sync_queue<T> items_;
  std::optional<boost::sync_bounded_queue<T>> bounded_;
};

class Priority {
 public:
  using value_type = std::int64_t;

  explicit Priority(std::size_t) {}
  void put(std::int64_t item) { items_.push(item); }
  std::int64_t get() { return items_.pull(); }

 private:
  using Items = boost::concurrent::sync_priority_queue<std::int64_t, std::vector<std::int64_t>,
                                                       std::greater<std::int64_t>>;
  Items items_;
};

[[maybe_unused]] const bool registered =
    conc::bench::all_fifo_rows<Fifo>("_boost") && conc::bench::priority_rows<Priority>("_boost");

}  // namespace

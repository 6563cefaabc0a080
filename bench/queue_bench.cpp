// Queues against what people write by hand: a standard container, a mutex and two condition
// variables.
#include <conc/lifo_queue.hpp>
#include <conc/priority_queue.hpp>
#include <conc/queue.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <queue>
#include <stack>
#include <utility>
#include <vector>

#include "queue_rows.hpp"

namespace {

template <class Container>
class StdQueue {
 public:
  using value_type = typename Container::value_type;

  explicit StdQueue(std::size_t maxsize = 0) : maxsize_(maxsize) {}

  void put(value_type item) {
    {
      std::unique_lock lock(mutex_);
      if (maxsize_ != 0) not_full_.wait(lock, [this] { return items_.size() < maxsize_; });
      items_.push(std::move(item));
    }
    not_empty_.notify_one();
  }

  value_type get() {
    std::unique_lock lock(mutex_);
    not_empty_.wait(lock, [this] { return !items_.empty(); });
    value_type item = std::move(next());
    items_.pop();
    lock.unlock();
    if (maxsize_ != 0) not_full_.notify_one();
    return item;
  }

 private:
  value_type& next() {
    if constexpr (requires { items_.front(); }) {
      return items_.front();
    } else {
      return const_cast<value_type&>(items_.top());
    }
  }

  std::mutex mutex_;
  std::condition_variable not_empty_;
  std::condition_variable not_full_;
  Container items_;
  const std::size_t maxsize_;
};

template <class T>
using StdFifo = StdQueue<std::queue<T>>;
template <class T>
using StdLifo = StdQueue<std::stack<T>>;
template <class T>
using StdPriority = StdQueue<std::priority_queue<T, std::vector<T>, std::greater<T>>>;

template <class T>
using Fifo = conc::Queue<T>;

[[maybe_unused]] const bool registered =
    conc::bench::all_fifo_rows<Fifo>("") && conc::bench::all_fifo_rows<StdFifo>("_std") &&
    conc::bench::lifo_rows<conc::LifoQueue<std::int64_t>>("") &&
    conc::bench::lifo_rows<StdLifo<std::int64_t>>("_std") &&
    conc::bench::priority_rows<conc::PriorityQueue<std::int64_t>>("") &&
    conc::bench::priority_rows<StdPriority<std::int64_t>>("_std");

}  // namespace

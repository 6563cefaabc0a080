// QueueOverFork: has a queue of records take part in every fork.
#pragma once

#include <conc/logging/queue_handler.hpp>

namespace conc::logging::detail {

// While one of these lives, processes fork only when nobody works on the queue. In the child it is
// empty, since what was in it is the parent's, and nobody waits for it, since those threads are
// gone. Any number may be made for a queue, which must live longer.
class QueueOverFork {
 public:
  // Throws std::bad_alloc.
  explicit QueueOverFork(RecordQueue& queue);
  ~QueueOverFork();

  QueueOverFork(const QueueOverFork&) = delete;
  QueueOverFork& operator=(const QueueOverFork&) = delete;

  // For fork(): keep other threads out, let them in again, and what the child does instead.
  static void lock_all() noexcept;
  static void unlock_all() noexcept;
  static void renew_after_fork() noexcept;

 private:
  RecordQueue& queue_;
};

}  // namespace conc::logging::detail

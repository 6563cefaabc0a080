// Which queues of records have somebody who empties them.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/machine.hpp>
#include <conc/logging/record.hpp>

#include <atomic>
#include <vector>

namespace conc::logging::detail {

// Lives from the start of a listener to its end.
//
// In the child of a fork the listeners' threads are gone. The listeners that were are orphans there:
// the thread that logs hands its record to the orphan's handlers itself, until a listener that is
// started there empties the queue.
class Listening {
 public:
  using Handle = void (*)(const void* listener, const LogRecord& record);

  // Throws std::bad_alloc.
  Listening(const void* queue, const void* listener, Handle handle);
  ~Listening();

  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  // Whether somebody empties the queue.
  [[nodiscard]] static bool anywhere(const void* queue) noexcept;

  // Says that it is the calling thread that empties the queue; null takes that back.
  static void set_here(const void* queue) noexcept { queue_of_this_thread = queue; }
  [[nodiscard]] static bool here(const void* queue) noexcept {
    return queue_of_this_thread == queue;
  }
  // Whether the calling thread empties any queue.
  [[nodiscard]] static bool here() noexcept { return queue_of_this_thread != nullptr; }

  // Whether nobody empties the queue since its listeners are orphans.
  // One relaxed load in a process that is nobody's child.
  [[nodiscard]] static bool orphaned(const void* queue) noexcept {
    return has_orphans.load(std::memory_order_relaxed) && among_orphans_alone(queue);
  }
  // Whether this listener was started by the process that was forked, and not stopped since.
  [[nodiscard]] static bool orphan(const void* listener) noexcept;
  // Hands the record to the handlers of the queue's orphans.
  static void handle_orphaned(const void* queue, const LogRecord& record);

  // For fork(): keep other threads out, let them in again, and what the child has to do before.
  static void lock_all();
  static void unlock_all();
  static void orphan_all() noexcept;

 private:
  // false   no listener ran when this process was forked; so it begins
  // true    one did; for ever
  static constinit conc::detail::Atomic<bool> has_orphans;

  static constinit thread_local const void* queue_of_this_thread;

  CONC_COLD static bool among_orphans_alone(const void* queue) noexcept;
  static bool any_of(const std::vector<const Listening*>& some, const void* queue) noexcept;

  const void* const queue_;
  const void* const listener_;
  const Handle handle_;
};

}  // namespace conc::logging::detail

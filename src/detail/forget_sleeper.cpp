#include <conc/barrier.hpp>
#include <conc/condition.hpp>
#include <conc/detail/future_state_base.hpp>
#include <conc/detail/gathering.hpp>
#include <conc/detail/inspect.hpp>
#include <conc/detail/lock_core.hpp>
#include <conc/detail/queue_core.hpp>
#include <conc/detail/semaphore_core.hpp>
#include <conc/detail/waiting.hpp>
#include <conc/event.hpp>

namespace conc::detail {
namespace {

// What the node's thread waits for.
template <class Object>
Object& object_of(const ThreadNode& node) noexcept {
  return *static_cast<Object*>(const_cast<void*>(node.reason().object));
}

}  // namespace

void forget_sleeper(ThreadNode& node) noexcept {
  switch (node.reason().kind) {
    case WaitKind::lock:
    case WaitKind::rlock:
      return object_of<LockCore>(node).forget(node);
    case WaitKind::condition:
      return Inspect::forget(object_of<Condition>(node), node);
    case WaitKind::event:
      return Inspect::forget(object_of<Event>(node), node);
    case WaitKind::semaphore:
      return object_of<SemaphoreCore>(node).forget(node);
    case WaitKind::barrier:
      return Inspect::forget(object_of<Barrier>(node), node);
    case WaitKind::queue_put:
    case WaitKind::queue_get:
    case WaitKind::queue_select:
    case WaitKind::queue_join:
      return object_of<QueueCore>(node).forget(node);
    case WaitKind::future:
      return object_of<FutureStateBase>(node).forget(node);
    case WaitKind::futures:
      return object_of<Gathering>(node).forget(node);
    // Threads and timers are forgotten where they are listed, and a pool is of no use in the child.
    case WaitKind::thread:
    case WaitKind::pool_room:
    case WaitKind::pool_work:
    case WaitKind::pool_end:
    case WaitKind::timer:
    case WaitKind::timer_work:
    case WaitKind::short_lock:
      return;
  }
}

}  // namespace conc::detail

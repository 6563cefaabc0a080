#include "wait_words.hpp"

#include <conc/detail/future_state_base.hpp>
#include <conc/detail/lock_core.hpp>

namespace conc::detail {

WaitWords words_of(WaitKind kind) noexcept {
  switch (kind) {
    case WaitKind::lock:
      return {"Lock", "acquire"};
    case WaitKind::rlock:
      return {"RLock", "acquire"};
    case WaitKind::condition:
      return {"Condition", "be notified by"};
    case WaitKind::event:
      return {"Event", "see set"};
    case WaitKind::semaphore:
      return {"Semaphore", "acquire"};
    case WaitKind::barrier:
      return {"Barrier", "pass"};
    case WaitKind::queue_put:
      return {"Queue", "put into"};
    case WaitKind::queue_get:
      return {"Queue", "get from"};
    case WaitKind::queue_join:
      return {"Queue", "join"};
    case WaitKind::thread:
      return {"Thread", "join"};
    case WaitKind::future:
    case WaitKind::futures:
      return {"Future", "see done"};
    case WaitKind::pool_room:
      return {"ThreadPoolExecutor", "submit to"};
    case WaitKind::pool_work:
      return {"ThreadPoolExecutor", "work for"};
    case WaitKind::pool_end:
      return {"ThreadPoolExecutor", "shut down"};
    case WaitKind::timer:
      return {"Timer", "join"};
    case WaitKind::timer_work:
      return {"Timers", "work for"};
    case WaitKind::short_lock:
      return {"internal lock", "acquire"};
  }
  return {"object", "wait for"};
}

ThreadId holder_of(const WaitReason& reason) noexcept {
  switch (reason.kind) {
    case WaitKind::lock:
    case WaitKind::rlock:
      return static_cast<const LockCore*>(reason.object)->owner();
    case WaitKind::future:
      return static_cast<const FutureStateBase*>(reason.object)->runner();
    default:
      return reason.holder;
  }
}

bool may_have_holder(WaitKind kind) noexcept {
  switch (kind) {
    case WaitKind::lock:
    case WaitKind::rlock:
    case WaitKind::future:
    case WaitKind::thread:
      return true;
    default:
      return false;
  }
}

}  // namespace conc::detail

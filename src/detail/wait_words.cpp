#include "wait_words.hpp"

#include <conc/detail/future_state_base.hpp>
#include <conc/detail/lock_core.hpp>
#include <conc/detail/queue_core.hpp>

#include <cstdio>

#include "json_text.hpp"

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
    case WaitKind::queue_select:
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

std::string describe(const WaitReason& reason) {
  const auto [type, action] = words_of(reason.kind);
  std::string text = std::string("waits to ") + action + ' ';
  switch (reason.kind) {
    case WaitKind::thread:
      return text + type;
    case WaitKind::queue_put:
    case WaitKind::queue_get:
    case WaitKind::queue_select:
    case WaitKind::queue_join:
      text += static_cast<const QueueCore*>(reason.object)->type();
      break;
    default:
      text += type;
  }
  text += ' ';
  if (reason.name != nullptr) {
    append_json(text, reason.name);
  } else {
    char address[24];
    std::snprintf(address, sizeof address, "%p", reason.object);
    text += address;
  }
  return text;
}

const char* held_by(std::string_view type) noexcept {
  if (type == "Thread") return "";
  return type == "Future" ? "run by " : "held by ";
}

std::string quoted(std::string_view name, ThreadId id) {
  std::string text;
  append_json(text, name);
  return text + " (" + std::to_string(id) + ')';
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

bool is_idle(WaitKind kind) noexcept {
  return kind == WaitKind::pool_work || kind == WaitKind::timer_work;
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

// Active: what the calling thread is inside of, so that what logs while logging does no harm.
#pragma once

#include <conc/logging/record.hpp>

#include <utility>
#include <vector>

namespace conc::logging {
class Logger;
}

namespace conc::logging::detail {

// One on the stack for each handler that the thread is inside of, and for each logger whose filters
// it runs. From the innermost to the outermost they form a list, which each thread has to itself.
//
// Rules that follow from it:
//   - Who is in the list gets no further record of this thread: nothing goes round for ever.
//   - While the innermost one holds a handler's lock, the thread's records wait in it and are
//     handled when the lock is free: no thread ever holds one handler's lock and wants another's.
class Active {
 public:
  explicit Active(const void* who) noexcept : who_(who), outer_(innermost) { innermost = this; }
  // Handles the records that waited. The lock is free by now.
  ~Active() {
    if (!waiting_.empty()) [[unlikely]]
      handle_waiting();
    innermost = outer_;
  }

  Active(const Active&) = delete;
  Active& operator=(const Active&) = delete;

  [[nodiscard]] static bool contains(const void* who) noexcept { return find(who) != nullptr; }

  // Whether the thread is inside of any.
  [[nodiscard]] static bool anywhere() noexcept { return innermost != nullptr; }

  // Whether the thread is inside of it and holds its lock.
  [[nodiscard]] static bool locks(const void* who) noexcept {
    const Active* const active = find(who);
    return active != nullptr && active->locked_;
  }

  // Whether the thread is inside of two or more.
  [[nodiscard]] static bool nested() noexcept {
    return innermost != nullptr && innermost->outer_ != nullptr;
  }

  // The thread is about to take a handler's lock; it frees the lock before this object ends.
  void begin_locked() noexcept { locked_ = true; }

  // Takes the record in if the thread holds a handler's lock; true then.
  // Throws std::bad_alloc.
  [[nodiscard]] static bool defer(const Logger& logger, const LogRecord& record) {
    return innermost != nullptr && innermost->locked_ && innermost->take(logger, record);
  }

 private:
  // The innermost one of `who`, or null.
  [[nodiscard]] static const Active* find(const void* who) noexcept {
    const Active* active = innermost;
    while (active != nullptr && active->who_ != who) active = active->outer_;
    return active;
  }

  // True.
  bool take(const Logger& logger, const LogRecord& record);
  void handle_waiting() noexcept;

  // Nothing to destroy, so it serves to the very end of the thread.
  static constinit thread_local Active* innermost;

  const void* const who_;
  Active* const outer_;
  bool locked_ = false;
  std::vector<std::pair<const Logger*, OwnedRecord>> waiting_;
};

}  // namespace conc::logging::detail

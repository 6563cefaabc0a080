// Active: what the calling thread is inside of, so that what logs while logging does no harm.
#pragma once

#include <conc/config.hpp>
#include <conc/logging/record.hpp>

#include <cstddef>
#include <cstdint>
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
//   - While one of them holds a handler's lock, the thread's records wait in the outermost one that
//     does and are handled when its lock is free: no thread that logs ever holds one handler's lock
//     and wants another's. A handler that passes records on to another while it holds its lock has
//     both, in the order that the program gave them.
class Active {
 public:
  // What the thread does there.
  enum class Doing : std::uint8_t { handle, flush, close };

  explicit Active(const void* who, Doing doing = Doing::handle) noexcept
      : who_(who), outer_(innermost), doing_(doing) {
    innermost = this;
  }
  // Handles the records that waited. The lock is free by now.
  ~Active() {
    if (!waiting_.empty()) [[unlikely]]
      handle_waiting();
    innermost = outer_;
  }

  Active(const Active&) = delete;
  Active& operator=(const Active&) = delete;

  [[nodiscard]] static bool contains(const void* who) noexcept {
    const Active* active = innermost;
    while (active != nullptr && active->who_ != who) active = active->outer_;
    return active != nullptr;
  }

  // Whether the thread is inside of it to do that.
  [[nodiscard]] static bool contains(const void* who, Doing doing) noexcept {
    const Active* active = innermost;
    while (active != nullptr && (active->who_ != who || active->doing_ != doing)) {
      active = active->outer_;
    }
    return active != nullptr;
  }

  // Whether the thread is inside of any.
  [[nodiscard]] static bool anywhere() noexcept { return innermost != nullptr; }

  // Whether the thread is inside of two or more.
  [[nodiscard]] static bool nested() noexcept {
    return innermost != nullptr && innermost->outer_ != nullptr;
  }

  // The thread is about to take a handler's lock, or has it; one that it takes it frees before this
  // object ends.
  void begin_locked() noexcept { locked_ = true; }

  // Takes the record in if the thread holds a handler's lock; true then.
  // Throws std::bad_alloc.
  [[nodiscard]] static bool defer(const Logger& logger, const LogRecord& record) {
    return innermost != nullptr && defer_inside(logger, record);
  }

 private:
  struct Waiting {
    const Logger* logger;
    OwnedRecord record;
    std::vector<const void*> inside;  // of what its thread was, from the one it waits in inwards
  };

  CONC_COLD static bool defer_inside(const Logger& logger, const LogRecord& record);
  CONC_COLD void handle_waiting() noexcept;
  // As if the thread were still inside of those from `depth` on.
  static void handle_inside(const Waiting& one, std::size_t depth) noexcept;

  // Nothing to destroy, so it serves to the very end of the thread.
  static constinit thread_local Active* innermost;

  const void* const who_;
  Active* const outer_;
  const Doing doing_;
  bool locked_ = false;
  std::vector<Waiting> waiting_;
};

}  // namespace conc::logging::detail

// ThreadRegistry: the records of all threads.
#pragma once

#include <conc/detail/machine.hpp>
#include <conc/detail/thread_record.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include <pthread.h>

namespace conc::detail {

// A thread enters at its first contact with the library and leaves at its end, when all of its
// thread_local objects have been destroyed. Its record is kept for a later thread.
//
// In the child of a fork only the thread that forked is left, and is the main thread.
//
// Any thread may call any of this at any time.
class ThreadRegistry {
 public:
  // Never destroyed, since threads may end after the globals are gone; the static pointer keeps it
  // reachable. Throws std::bad_alloc.
  static ThreadRegistry& instance() {
    static ThreadRegistry* const registry = new ThreadRegistry;
    return *registry;
  }

  // The calling thread's record; nullptr before its first contact with the library, and once it has
  // left.
  static ThreadRecord* record_here() noexcept { return here_; }

  // Makes the calling thread's record. `name` is nullptr for a thread that conc did not start.
  // Throws std::bad_alloc.
  static ThreadRecord& meet(std::string* name, bool daemon);

  // The function of the thread is over.
  void end(ThreadRecord& record) noexcept;

  void set_name(ThreadRecord& record, std::string name);

  // "" when there is no such thread any more.
  std::string name_of(ThreadId id);

  // Those whose function is not over, in the order in which they entered; under the mutex.
  void visit(const std::function<void(ThreadRecord&)>& visit);

  // How many of them there are.
  std::size_t count() noexcept;

  // Calls look(find) under the mutex, where find(id) is the record of the thread with this id, or
  // nullptr when it has ended. `look` may take a record's mutex.
  // Cost of find(): O(log threads).
  template <class Look>
  void look_up(Look&& look) {
    const std::lock_guard lock(mutex_);
    look([this](ThreadId id) noexcept -> ThreadRecord* {
      const auto place = std::lower_bound(
          live_.begin(), live_.end(), id,
          [](const ThreadRecord* record, ThreadId sought) { return record->id < sought; });
      return place != live_.end() && (*place)->id == id ? *place : nullptr;
    });
  }

 private:
  ThreadRegistry();

  ThreadRecord& enter(std::string* given_name, bool daemon);
  void leave(ThreadRecord& record) noexcept;

  // ---- Under the mutex
  void make_room();
  void expect_main() noexcept;
  void start_over() noexcept;

  static constinit thread_local ThreadRecord* here_;

  Mutex mutex_;
  std::vector<ThreadRecord*> live_;  // in the order of their ids
  std::vector<ThreadRecord*> spare_;
  ThreadRecord* main_ = nullptr;  // in live_; none once the main thread has ended before the others
  bool main_is_here_ = false;     // it has come into the library
  ThreadId last_id_ = 0;
  std::uint64_t dummies_ = 0;
  pthread_key_t at_thread_end_{};
};

}  // namespace conc::detail

// What the library knows of a thread: who it is, and the place where it sleeps.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/machine.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace conc::detail {

class ThreadNode;

// A number that no other thread of the process ever has, from 1 up; 0 means no thread.
using ThreadId = std::uint64_t;

// One a thread, from its first contact with the library to its end. The memory is never freed, but
// used again for a later thread: so whoever wakes a thread may touch the record after the thread
// has gone on, or even ended, and at worst wakes a stranger once too often, who looks and sleeps
// on. That is what lets a waker notify with no lock held.
struct ThreadRecord {
  // The bed: only the record's own thread ever waits on `bed`.
  Mutex mutex;
  CondVar bed;

  // Guarded by `mutex`.
  ThreadNode* sleeps_in = nullptr;  // what the thread waits for, while it sleeps

  // Changed under both `mutex` and the registry's mutex, so read under either.
  std::string name;
  // Counts the changes of `name`, so that the thread itself sees them without the lock.
  Atomic<std::uint32_t> name_changes{0};

  // Of the record's own thread alone: the name as it saw it last, and at which change.
  std::string seen_name;
  std::uint32_t seen_change = 0;

  // Guarded by the registry's mutex: its function is over, and only what is left of it runs.
  bool ended = false;

  // Set when the thread gets the record, constant until it ends.
  NativeHandle native_handle{};
  ThreadId id = 0;
  std::int64_t native_id = 0;  // the operating system's number
  bool main = false;
  bool daemon = false;
  bool foreign = false;  // not started by conc, nor the main thread
};

// The calling thread's id; 0 before its first contact with the library. In the static storage of
// the thread, so that reading it is one load.
#if defined(__GNUC__)
extern CONC_EXPORT constinit thread_local ThreadId this_thread_id
    __attribute__((tls_model("initial-exec")));
#else
extern CONC_EXPORT constinit thread_local ThreadId this_thread_id;
#endif

// Makes the record of the calling thread and returns its id. Throws std::bad_alloc.
CONC_COLD CONC_EXPORT ThreadId meet_this_thread();

// The same for a thread that conc starts, at its first step. Names it for the operating system as
// well.
CONC_EXPORT ThreadRecord& begin_this_thread(std::string name, bool daemon);

// Says that the function of the calling thread, which conc started, is over.
void end_this_thread() noexcept;

// The calling thread's id, made at first need.
CONC_ALWAYS_INLINE ThreadId self_id() {
  const ThreadId id = this_thread_id;
  return id != 0 ? id : meet_this_thread();
}

// The calling thread's record, made at first need. It is the thread's own until the thread ends.
CONC_EXPORT ThreadRecord& this_thread_record();

// Whether what the calling thread makes, and the process could wait for, is a daemon by default: if
// the thread is a Thread that is one. Python has the flag inherited even from a thread that it did
// not start, which counts as a daemon there; here the process would so lose the work of a
// std::thread or of a pool's worker.
[[nodiscard]] bool inherited_daemon();

// The name of the calling thread: as set, or "MainThread", or "Dummy-N" for a thread that conc did
// not start.
CONC_EXPORT std::string this_thread_name();

// The same to look at. The view is good until the thread calls this again.
// Cost: one atomic load, as long as nobody changes the name.
[[nodiscard]] CONC_EXPORT std::string_view look_at_this_thread_name();

// Names the calling thread, for the operating system as well, which may cut it short (Linux: 15
// bytes).
CONC_EXPORT void set_this_thread_name(std::string name);

// The same for another thread, which must not have ended.
CONC_EXPORT void set_thread_name(ThreadRecord& record, std::string name);

// The name of another thread, which must not have ended.
[[nodiscard]] std::string thread_name(ThreadRecord& record);

// The name of the thread with this id, or "" when it has ended.
CONC_EXPORT std::string thread_name(ThreadId id);

// Calls visit(record) for every thread whose function is not over, the main thread included, in the
// order in which the library met them: under the registry's mutex, so that no thread comes or goes
// meanwhile. `visit` may take a record's mutex.
void visit_threads(const std::function<void(ThreadRecord&)>& visit);

// How many threads visit_threads() would visit.
[[nodiscard]] std::size_t count_threads() noexcept;

// Called once, by the first thread that the library meets. Defined above this floor, where the
// watchdog is: a program may ask for it without a call of its own.
void start_watchdog_if_asked() noexcept;

}  // namespace conc::detail

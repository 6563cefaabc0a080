// What the program's threads are doing: who waits for what, since when, and who holds it.
#pragma once

#include <conc/export.hpp>
#include <conc/thread_info.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace conc {

// An object that threads wait for.
struct ContendedObject {
  std::string type;                     // "Lock", "Queue" and so on
  std::string name;                     // as given to its constructor; may be empty
  const void* address = nullptr;        // to tell it from others; not to be used
  std::optional<std::uint64_t> holder;  // the thread that took the lock, runs the task of the
                                        // future, or is to end, if known
  std::optional<std::size_t> fill;      // of a queue: how many items it holds
  std::optional<std::size_t> maxsize;   // of a queue that is bounded
  std::vector<std::uint64_t> waiters;   // the threads that wait, the longest waiting first
};

// What a thread waits for.
struct ThreadWait {
  std::size_t object = 0;  // its place in Snapshot::objects
  std::string action;      // what for: "acquire", "get" and so on
  std::chrono::steady_clock::time_point since;
  std::optional<std::chrono::steady_clock::time_point> deadline;  // when it will give up
  bool idle = false;  // a worker that waits for something to do
};

struct ThreadSnapshot {
  ThreadInfo info;
  std::optional<ThreadWait> wait;  // none: it runs, or is blocked outside conc
};

// All threads that enumerate() lists, and what those wait for that sleep in a call of conc. A
// value. Each thread is seen as it was at one moment, all of them within a few microseconds each.
struct Snapshot {
  std::chrono::system_clock::time_point time;         // when all had been seen
  std::chrono::steady_clock::time_point steady_time;  // the same
  std::int64_t process_id = 0;
  std::vector<ThreadSnapshot> threads;
  std::vector<ContendedObject> objects;
};

// Takes a snapshot. Threads neither start nor end meanwhile, and one that is just being woken waits
// until it has been looked at; nothing else is held up.
// Throws std::bad_alloc.
// Cost: O(threads), about 50 ns for each. Threads that wait pay one clock reading for it when they
// fall asleep, and nothing when they need not.
[[nodiscard]] CONC_EXPORT Snapshot snapshot();

// Writes the snapshot of this moment for people to read:
//
//   4 threads of process 712 at 2026-11-25 18:03:11
//   "MainThread" ident=1 native_id=712: waits to join Thread "Bill" (2) since 1.250 s
//   "Bill" ident=2 native_id=713: waits to acquire Lock "gun" held by "Jack" (3) since 1.249 s
//   ...
//   Lock "gun" 0x7ffc1c0d3a40, held by "Jack" (3)
//     waits: "Bill" (2) since 1.249 s
//
// Throws std::bad_alloc, and what the stream throws.
// Python: faulthandler.dump_traceback(all_threads=True), which shows stacks and not what for.
CONC_EXPORT void dump_threads(std::ostream& out);
CONC_EXPORT void dump_threads(std::ostream& out, const Snapshot& seen);

// The same as JSON (one object; "version" is 1, and rises when a member changes its meaning), valid
// whatever the names hold; and as a graph in the language of Graphviz: threads, objects, and an
// edge from each to what it waits for or is held by, so that a cycle is a deadlock.
// Throw std::bad_alloc.
[[nodiscard]] CONC_EXPORT std::string to_json(const Snapshot& seen);
[[nodiscard]] CONC_EXPORT std::string to_dot(const Snapshot& seen);

// What becomes of a deadlock: a cycle of threads each of which waits, with neither a deadline nor a
// stop token, for the next one to release a Lock or an RLock, to finish the task of a Future, or to
// end. It is found when it closes, by the thread whose call closes it. What waits for several
// futures at once, or for a lock after a Condition was notified, is in none.
enum class OnDeadlock : std::uint8_t {
  ignore,  // the threads hang
  report,  // the threads hang, and report() gets the cycle in words on the channel "conc.deadlock"
  raise,   // the call throws DeadlockError with these words. Locks that its thread releases then go
           // to those who wait for them, so it may try again at once. A call that cannot throw, the
           // wait for a Thread in its destructor for instance, reports instead
};

// Says what becomes of deadlocks from now on. Until somebody does, the environment says it:
// CONC_DEADLOCK=ignore, report or raise; and report if it does not.
//
// A Lock may be released by any thread, but counts as held by the one that took it. For signals
// from thread to thread there are Event and Semaphore, which nobody holds.
//
// Never blocks.
// Cost: a thread that is about to sleep in such a wait looks whether the holder sleeps as well,
// which takes two mutexes; nothing when it need not sleep.
// Python: nothing like it
CONC_EXPORT void on_deadlock(OnDeadlock reaction) noexcept;

// Has a dump written to stderr whenever the process gets the signal, by a thread of its own that
// waits for it: no code runs in a signal handler. To be called in the main thread before it starts
// others, because the signal is blocked in the calling thread and those it makes later; a thread
// that does not block it would be ended by it. Calling it again for the same signal does nothing.
// Throws std::invalid_argument when there is no such signal, or none that can be waited for;
// std::system_error when the operating system refuses a thread.
// Python: faulthandler.register(signal)
CONC_EXPORT void dump_on_signal(int signal);

// A program that is started with CONC_WATCHDOG=5s (or 500ms, 2min) in its environment writes a dump
// to stderr whenever a thread has waited that long in one call of conc; once for each such wait,
// and not for idle workers of a pool.

// A program that is started with CONC_TRACE=1 in its environment tells by report(), on the channel
// "conc.trace" and with the severity debug, of each call of conc in which a thread falls asleep:
// what it waits for, and who holds that. A thread of its own tells, in the order in which they fall
// asleep; at the end of the process all has been told, unless that takes longer than a second. Idle
// workers of a pool are left out, and so is what threads wait for in order to log. What conc waits
// for itself is told as well, the start of a thread for instance. A receiver must not hand what it
// is told to a thread of the program's own that waits for it in a call of conc: each of these waits
// would be told of as well, without end.
//
//   conc.trace: "Bill" (2) waits to acquire Lock "gun" held by "Jack" (3)
//
// With conc::logging these are records of the logger "conc.trace", if it is enabled for debug
// (CONC_LOG=conc.trace=debug) and there is a handler on the way up whose level lets them in;
// otherwise lines on stderr, as without.
// Cost: without it one relaxed load for a thread that is about to sleep.

}  // namespace conc

// ThreadInfo and the functions that tell which threads there are.
#pragma once

#include <conc/export.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace conc {

// What the library knows of a thread, at one moment. A value; the thread may have ended since.
//
// Python: the threading.Thread objects that enumerate() and the like return. Here they are values,
// since the thread's own object may be anywhere, or gone.
struct ThreadInfo {
  std::string name;            // as set; "MainThread"; "Dummy-N" for one that conc did not start
  std::uint64_t ident = 0;     // the number that conc gave it, never given again
  std::int64_t native_id = 0;  // the operating system's number, which may be given again
  bool daemon = false;         // the process may end without it; so may it without a foreign one
  bool alive = false;          // its function is not over
  bool main = false;           // the process's first thread
};

// The calling thread.
// Throws std::bad_alloc.
// Cost: one allocation for a long name, and for the thread's record at its first contact with the
// library.
// Python: threading.current_thread()
[[nodiscard]] CONC_EXPORT ThreadInfo current_thread();

// The thread that runs main(); in the child of a fork, the one that called fork(). When it has
// ended before the others: all fields empty but `main`.
// Throws std::bad_alloc.
// Python: threading.main_thread()
[[nodiscard]] CONC_EXPORT ThreadInfo main_thread();

// All threads that are alive, in the order in which the library met them: the main thread, those
// that conc started, and others once they have taken a Lock or an RLock, slept in a call of conc, or
// asked for current_thread() or their number, until they end.
// Throws std::bad_alloc.
// Synchronizes: threads neither start nor end meanwhile; they are held up for a fraction of a
// microsecond per thread.
// Python: threading.enumerate()
[[nodiscard]] CONC_EXPORT std::vector<ThreadInfo> enumerate();

// How many enumerate() would list.
// Python: threading.active_count()
[[nodiscard]] CONC_EXPORT std::size_t active_count() noexcept;

// Names the calling thread, for the operating system as well, as far as it has room (Linux: 15
// bytes, cut between characters of UTF-8).
// Throws std::bad_alloc.
// Python: threading.current_thread().name = name
CONC_EXPORT void set_current_thread_name(std::string name);

// The number of the calling thread: current_thread().ident.
// Throws std::bad_alloc at the thread's first contact with the library.
// Cost: one load, from then on.
// Python: threading.get_ident(), whose numbers may be given again
[[nodiscard]] CONC_EXPORT std::uint64_t get_ident();

// The operating system's number of the calling thread.
// Throws std::bad_alloc at the thread's first contact with the library.
// Python: threading.get_native_id()
[[nodiscard]] CONC_EXPORT std::int64_t get_native_id();

}  // namespace conc

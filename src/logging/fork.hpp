// What logging does about fork(), so that the child can log whatever other threads did just then.
//
// What all threads share is made when the library is loaded, before there are threads, or under a
// lock that is taken before the process forks. A local static that a thread is making while another
// forks would keep whoever asks for it in the child waiting for ever.
#pragma once

#include <conc/until.hpp>

#include <cstdint>

namespace conc::logging::detail {

// The locks of logging are taken before the process forks, so that what they guard is whole, and
// given back afterwards. In the child, where those who waited for a lock are gone, it is made anew
// instead.
//
// Order, the same as everywhere: basic_config(), the list of entries, handlers, memory handlers,
// the tree, the list of handlers to close, that of listeners, the queues, the calendar, the
// flusher, the thread's own record.

enum class ForkMoment : std::uint8_t { before, in_parent, in_child };

// Has an object take part in every fork as long as the entry lives. A member that is declared last:
// then it is there only while the object is whole.
class ForkEntry {
 public:
  // `until` says how long taking a lock may last; a handler that is stuck does not keep the program
  // from forking.
  using Act = void (*)(void* self, ForkMoment moment, Until until);

  // Throws std::bad_alloc.
  ForkEntry(void* self, Act act);
  ~ForkEntry();

  ForkEntry(const ForkEntry&) = delete;
  ForkEntry& operator=(const ForkEntry&) = delete;

 private:
  friend class ForkRegister;

  void* const self_;
  const Act act_;
  ForkEntry* previous_ = nullptr;
  ForkEntry* next_ = nullptr;
};

}  // namespace conc::logging::detail

// StartedThreads: the threads that the process may not end without, or must know of when it forks.
#pragma once

#include <conc/detail/machine.hpp>

#include <list>
#include <memory>
#include <optional>

namespace conc::detail {

class ThreadState;

// The threads that were started, until somebody has joined them without a limit, or until they end
// when their object went before; daemons until their object goes.
//
// At exit, those that are no daemons are waited for. In the child of a fork, those that are gone
// are told so, and put aside.
//
// Any thread may call any of this at any time.
class StartedThreads {
 public:
  using State = std::shared_ptr<ThreadState>;
  struct Entry {
    State state;
    bool daemon;
  };
  using Place = std::list<Entry>::iterator;

  // Never destroyed: threads may end after the globals are gone. Throws std::bad_alloc.
  static StartedThreads& instance() {
    static StartedThreads* const started = new StartedThreads;
    return *started;
  }

  // Adds one that leaves the phase `fresh`; nothing when it has left that before. Under the lock,
  // so that the child of a fork knows of every thread that is no longer fresh. Throws
  // std::bad_alloc.
  std::optional<Place> add(State state);

  // Undoes it, since the start has failed.
  void take_back(Place place) noexcept;

  void remove(Place place) noexcept;

 private:
  StartedThreads();

  static bool see_out_all() noexcept;
  State next() noexcept;
  void start_over() noexcept;

  Mutex mutex_;
  std::list<Entry> entries_;
  std::list<Entry> lost_;  // of the parents
};

}  // namespace conc::detail

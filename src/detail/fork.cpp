#include "fork.hpp"

#include <algorithm>
#include <mutex>
#include <new>
#include <vector>

#include <pthread.h>

namespace conc::detail {
namespace {

struct Guarded {
  Mutex* mutex;
  void (*in_child)() noexcept;
};

// Never destroyed: a process may fork while its globals go.
struct All {
  static All& instance() {
    static All* const all = new All;
    return *all;
  }

  Mutex mutex;
  std::vector<Guarded> guarded;

 private:
  All() {
    if (pthread_atfork(&prepare, &in_parent, &in_child) != 0) throw std::bad_alloc();
  }

  static void prepare() {
    All& all = instance();
    all.mutex.lock();
    for (const Guarded& one : all.guarded) one.mutex->lock();
  }

  static void in_parent() {
    All& all = instance();
    for (const Guarded& one : all.guarded) one.mutex->unlock();
    all.mutex.unlock();
  }

  static void in_child() {
    in_parent();
    for (const Guarded& one : instance().guarded) {
      if (one.in_child != nullptr) one.in_child();
    }
  }
};

[[maybe_unused]] const bool at_load = (All::instance(), true);

}  // namespace

void guard_over_fork(Mutex& mutex, void (*in_child)() noexcept) {
  All& all = All::instance();
  const std::lock_guard lock(all.mutex);
  const bool known = std::any_of(all.guarded.begin(), all.guarded.end(),
                                 [&mutex](const Guarded& one) { return one.mutex == &mutex; });
  if (!known) all.guarded.push_back({&mutex, in_child});
}

}  // namespace conc::detail

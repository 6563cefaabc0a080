#include "fork.hpp"

#include <conc/detail/machine.hpp>
#include <conc/detail/thread_record.hpp>

#include <chrono>
#include <mutex>
#include <new>

#include <pthread.h>

#include "block.hpp"
#include "calendar.hpp"
#include "complaint.hpp"
#include "configuring.hpp"
#include "flusher.hpp"
#include "level_names.hpp"
#include "listening.hpp"
#include "process_id.hpp"
#include "queue_over_fork.hpp"
#include "shutdown.hpp"
#include "tree.hpp"

namespace conc::logging::detail {

// All entries, the oldest first. Never destroyed, since globals may have entries.
class ForkRegister {
 public:
  static ForkRegister& instance() {
    static ForkRegister* const made = new ForkRegister;
    return *made;
  }

  void enter(ForkEntry& entry) noexcept {
    const std::lock_guard guard(mutex_);
    entry.previous_ = last_;
    (last_ != nullptr ? last_->next_ : first_) = &entry;
    last_ = &entry;
  }

  void leave(ForkEntry& entry) noexcept {
    const std::lock_guard guard(mutex_);
    (entry.previous_ != nullptr ? entry.previous_->next_ : first_) = entry.next_;
    (entry.next_ != nullptr ? entry.next_->previous_ : last_) = entry.previous_;
  }

 private:
  // Two seconds are longer than any write takes that is not stuck.
  static constexpr std::chrono::seconds patience{2};

  ForkRegister() {
    // The core's handler is set up first, so that it is called last before a fork: whoever holds a
    // lock of logging's may need one of the core's to go on and release it.
    static_cast<void>(conc::detail::thread_name(0));
    if (::pthread_atfork([] { instance().before(); }, [] { instance().in_parent(); },
                         [] { instance().in_child(); }) != 0) {
      throw std::bad_alloc();
    }
  }

  void before() noexcept {
    configuring.lock();
    mutex_.lock();
    each(ForkMoment::before, conc::detail::SteadyClock::now() + patience);
    Tree::lock();
    lock_roster();
    Listening::lock_all();
    QueueOverFork::lock_all();
    lock_calendar();
    Flusher::lock_all();
  }

  void in_parent() noexcept {
    QueueOverFork::unlock_all();
    release_shared();
    each(ForkMoment::in_parent, at_once);
    mutex_.unlock();
    configuring.unlock();
  }

  void in_child() noexcept {
    // Who opened a file is gone; the thread that forks is not in there.
    ::new (static_cast<void*>(&opening)) conc::detail::Mutex;
    Block::renew_after_fork();
    Flusher::renew_after_fork();
    Listening::orphan_all();
    QueueOverFork::renew_after_fork();
    Tree::renew_after_fork();
    forget_process_id();
    forget_what_was_left_out();
    renew_level_names_after_fork();
    release_shared();
    each(ForkMoment::in_child, at_once);
    mutex_.unlock();
    configuring.unlock();
  }

  void release_shared() noexcept {
    Flusher::unlock_all();
    unlock_calendar();
    Listening::unlock_all();
    unlock_roster();
    Tree::unlock();
  }

  void each(ForkMoment moment, Until until) noexcept {
    for (ForkEntry* entry = first_; entry != nullptr; entry = entry->next_) {
      entry->act_(entry->self_, moment, until);
    }
  }

  conc::detail::Mutex mutex_;
  // Guarded by mutex_, which is held from before() to the end of the fork.
  ForkEntry* first_ = nullptr;
  ForkEntry* last_ = nullptr;
};

namespace {
[[maybe_unused]] const bool at_load = (ForkRegister::instance(), true);
}  // namespace

ForkEntry::ForkEntry(void* self, Act act) : self_(self), act_(act) {
  ForkRegister::instance().enter(*this);
}

ForkEntry::~ForkEntry() { ForkRegister::instance().leave(*this); }

}  // namespace conc::logging::detail

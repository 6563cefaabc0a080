// What diagnostics, tests and the child of a fork may do with an object that threads wait for.
#pragma once

#include <conc/detail/machine.hpp>
#include <conc/detail/thread_record.hpp>
#include <conc/detail/waiting.hpp>
#include <conc/until.hpp>

#include <cstddef>
#include <mutex>

namespace conc::detail {

// A friend of every such object.
struct Inspect {
  // How many threads wait for the object: for a Condition, to be notified.
  template <class Object>
  static std::size_t waiters(const Object& object) {
    if constexpr (requires { object.waiters_; }) {
      const std::lock_guard lock(object.mutex_);
      return object.waiters_.size();
    } else if constexpr (requires { object.engine_; }) {
      return object.engine_.core().waiters();
    } else if constexpr (requires { object.slots_; }) {
      return waiters(object.slots_);
    } else {
      return object.core_.waiters();
    }
  }

  // How many threads wait to acquire it: for a Condition, its lock.
  template <class Object>
  static std::size_t acquirers(const Object& object) {
    if constexpr (requires { object.core_; }) {
      return object.core_.waiters();
    } else {
      return waiters(object);
    }
  }

  // Whether the calling thread took the Lock, and nobody released it since.
  template <class Lock>
  static bool held_here(const Lock& lock) noexcept {
    return this_thread_id != 0 && lock.core_.owner() == this_thread_id;
  }

  // See forget_sleeper().
  template <class Object>
  static void forget(Object& object, ThreadNode& node) noexcept {
    object.forget(node);
  }

  // What a wait() of the event notes on entry, and the rest of that wait(): so a test can put a
  // set() between the two.
  template <class Event>
  static auto entry(const Event& event) {
    return event.word_.load();
  }
  template <class Event, class Word>
  static bool wait_since(Event& event, Word entry, Until until) {
    return event.wait_slow(entry, until);
  }
};

}  // namespace conc::detail

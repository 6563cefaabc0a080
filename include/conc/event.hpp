// Event: a flag that threads can wait for.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/waiting.hpp>
#include <conc/until.hpp>

#include <cstddef>
#include <cstdint>

namespace conc {

// The simplest signal between threads: one flag, false at first. Any number of threads may wait for
// it to become true.
//
// Every thread that was in wait() when set() was called returns from it, with true, even if clear()
// follows at once. 72 bytes; neither copied nor moved.
//
// Lifetime: nobody may wait when it is destroyed. A thread that returned from wait(), or saw
// is_set() true, may destroy the event while the set() that did it is still on its way out. So
// `Event done; ...; done.wait();` on a stack is sound.
//
// Python: threading.Event
class Event {
 public:
  // An event that is not set. `name`, which must outlive it, is shown in dumps.
  constexpr Event() noexcept : Event(nullptr) {}
  explicit constexpr Event(const char* name) noexcept : name_(name) {}

  // Waits for a set() that is still on its way out, nobody else.
  CONC_EXPORT ~Event();

  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // Makes the flag true and wakes everyone who waits. Never blocks.
  // Synchronizes: with every wait() and is_set() that returns true because of it, whether the flag
  // was true before or not.
  // Cost: one atomic read-modify-write when nobody waits; O(waiters).
  // Python: set()
  void set() noexcept {
    Word seen = word_.load(std::memory_order_relaxed);
    while ((seen & sleepers) == 0) {
      if (word_.compare_exchange_weak(seen, seen | is_set_bit, std::memory_order_release,
                                      std::memory_order_relaxed)) {
        return;
      }
    }
    set_slow();
  }

  // Makes the flag false. Wakes nobody, and takes no wake-up back. Never blocks.
  // Python: clear()
  void clear() noexcept {
    Word seen = word_.load(std::memory_order_relaxed);
    while ((seen & is_set_bit) != 0) {
      if (word_.compare_exchange_weak(seen, (seen & ~is_set_bit) + pulse,
                                      std::memory_order_relaxed)) {
        return;
      }
    }
  }

  // Whether the flag is true.
  // Cost: one atomic load.
  // Python: is_set()
  [[nodiscard]] bool is_set() const noexcept {
    return (word_.load(std::memory_order_acquire) & is_set_bit) != 0;
  }

  // Returns when the flag is true, or was made true since the call. Blocks until then.
  // Throws std::bad_alloc at the thread's first contact with the library.
  // Synchronizes: with that set().
  // Cost: one atomic load when the flag is true.
  // Python: wait()
  void wait() {
    const Word seen = word_.load(std::memory_order_acquire);
    if ((seen & is_set_bit) == 0) [[unlikely]]
      static_cast<void>(wait_slow(seen, forever));
  }

  // The same, but gives up as `until` says; false then.
  // Python: wait(timeout)
  [[nodiscard]] bool wait(Until until) {
    const Word seen = word_.load(std::memory_order_acquire);
    return (seen & is_set_bit) != 0 || wait_slow(seen, until);
  }

  [[nodiscard]] const char* name() const noexcept { return name_; }

 private:
  friend struct detail::Inspect;

  // The word: two flags, and above them how many times the flag went from true to false.
  //
  //   is_set  sleepers  meaning                 entered by            left by
  //   no      no        false, nobody asleep    constructor, clear()  set(), wait()
  //   yes     no        true                    set()                 clear()
  //   no      yes       false, the list holds   wait() about to       set(); the last waiter
  //                     those who wait          sleep                 gave up
  //   yes     yes       never: set() empties the list, and nobody sleeps while it is true
  //
  // The count is for a waiter that has not gone to sleep yet: it compares it with what it saw on
  // entry, and so does not miss a set() that was followed by clear(). It would take 2^62 of them
  // within one wait to deceive it.
  using Word = std::uint64_t;
  static constexpr Word is_set_bit = 1;
  static constexpr Word sleepers = 2;
  static constexpr Word pulse = 4;

  static constexpr bool was_set_since(Word entry, Word now) noexcept {
    return (now & is_set_bit) != 0 || now / pulse != entry / pulse;
  }

  CONC_COLD CONC_EXPORT void set_slow() noexcept;
  CONC_COLD CONC_EXPORT bool wait_slow(Word entry, Until until);
  bool withdraw(detail::ThreadNode& node) noexcept;
  void forget(detail::ThreadNode& node) noexcept;

  detail::Atomic<Word> word_{0};
  mutable detail::Mutex mutex_;
  detail::WaitList waiters_;  // guarded by mutex_
  const char* name_;
};

}  // namespace conc

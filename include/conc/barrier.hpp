// Barrier: a place where threads wait for each other.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/waiting.hpp>
#include <conc/until.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

namespace conc {

// A fixed number of threads, the parties, meet here: each calls wait(), and all of them go on when
// the last has come. That is a round; the next one may begin at once, even while threads of the
// last are still on their way out of wait().
//
// The action, when there is one, is run once a round by the last thread to come, before any goes
// on. No lock of the barrier is held meanwhile, so it may call reset(), abort() and the observers.
//
// A thread that gives up waiting leaves the others with one party too few, so it breaks the
// barrier: every thread in wait() gets BrokenBarrier, the one that gave up too, and so does every
// later wait() until somebody calls reset(). An action that throws breaks the barrier as well,
// unless its round was over before; its own thread gets what it threw.
//
// While the action runs the round is not over: a party of it that gives up then, abort() and
// reset() end it as broken without waiting for the action. The action runs to its end, whatever it
// did stays done, and its thread gets BrokenBarrier unless it throws. No other action begins before
// that: a thread that comes to a barrier whose action is running waits until it is over, and then
// belongs to the next round. Should it give up before, the running round goes on, and the barrier
// is broken when that is over.
//
// More threads than parties may use a barrier; each round is made of those that come first.
// 152 bytes, the function included; neither copied nor moved.
//
// Lifetime: every wait() must have returned when it is destroyed, but an abort() or reset() that
// ended it may still be on its way out.
//
// Python: threading.Barrier. Unlike there, a thread that comes while the last round is still
// leaving wait() belongs to the next round at once: its time counts, and reset() ends its wait. And
// abort() leaves the last round alone, where Python's gives BrokenBarrierError to those that are
// still in wait(). The action runs under no lock: a party whose time is up, reset() and abort()
// break the round meanwhile, where Python's wait until the action is over; and who comes meanwhile
// may give up.
class Barrier {
 public:
  // How many parties there may be.
  static constexpr std::size_t max_parties = (std::size_t{1} << 24) - 1;

  // A barrier for so many parties. `action` must not call wait() of this barrier. `timeout` is for
  // every wait() that does not say otherwise. `name`, which must outlive the barrier, is shown in
  // dumps and errors.
  // Throws std::invalid_argument when `parties` is 0 or above max_parties.
  // Python: Barrier(parties, action, timeout)
  CONC_EXPORT explicit Barrier(std::size_t parties, std::function<void()> action = {},
                               std::optional<std::chrono::nanoseconds> timeout = {},
                               const char* name = nullptr);

  // Waits for an abort() or reset() that is still on its way out, nobody else.
  CONC_EXPORT ~Barrier();

  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  // Waits for the other parties, and runs the action if it is the last to come. Blocks until all
  // have come and the action is over, or the round is broken; no longer than the constructor's
  // timeout, if it was given one.
  // Returns the place in the order of coming, from 0 to parties() - 1, each once a round.
  // Throws BrokenBarrier when the barrier is broken, or this round of it is while it waits; what
  // the action throws, in the thread that runs it; UsageError when the action itself calls it;
  // std::bad_alloc at the thread's first contact with the library, and is then not counted.
  // Synchronizes: what each party did before its wait() is visible to the action, and all of that
  // to each party when its wait() has returned.
  // Cost: one atomic read-modify-write for each party when none of them sleeps and there is no
  // action; O(sleeping parties) for the last.
  // Python: wait()
  std::size_t wait() { return wait(Until(timeout_)); }

  // The same, but gives up as `until` says, whatever the constructor was given, and breaks the
  // barrier then.
  // Python: wait(timeout)
  CONC_EXPORT std::size_t wait(Until until);

  // Makes the barrier whole again: threads that wait get BrokenBarrier, and a new round begins. A
  // round whose parties have all come and whose action is over is not disturbed. Never blocks.
  // Cost: O(waiting threads).
  // Python: reset()
  CONC_EXPORT void reset() noexcept;

  // Breaks the barrier: threads that wait, and those that come later, get BrokenBarrier until
  // somebody calls reset(). A round whose parties have all come and whose action is over is not
  // disturbed. Never blocks.
  // Cost: O(waiting threads).
  // Python: abort()
  CONC_EXPORT void abort() noexcept;

  // How many threads make a round.
  // Python: parties
  [[nodiscard]] std::size_t parties() const noexcept { return parties_; }

  // How many threads of this round have come: 0 when it is broken, and parties() while the action
  // runs.
  // Python: n_waiting
  [[nodiscard]] std::size_t n_waiting() const noexcept {
    return arrived_in(word_.load(std::memory_order_relaxed));
  }

  // Whether it is broken, and reset() is needed.
  // Python: broken
  [[nodiscard]] bool broken() const noexcept {
    return (word_.load(std::memory_order_acquire) & broken_bit) != 0;
  }

  [[nodiscard]] const char* name() const noexcept { return name_; }

 private:
  friend struct detail::Inspect;

  // The word: five flags, how many parties of this round have arrived, and the number of the round.
  //
  //   flag        meaning                                  entered by             left by
  //   broken      every wait() throws; arrived is 0        abort(), a waiter      reset()
  //                                                        that gives up, an
  //                                                        action that throws
  //   acting      the action runs, of this round or of     the last to arrive,    the same thread,
  //               one that was broken since; nobody may    when there is an       when the action
  //               arrive                                   action                 is over
  //   doomed      the next round is broken when this one   a thread that comes    the end of this
  //               is complete; only with acting            then and gives up      round
  //   sleepers    threads of this round are in the list:   a waiter about to      the end of the
  //               the last to arrive has to wake them      sleep                  round
  //   stragglers  threads of a broken round have not       the end of a broken    the last of them
  //               heard of it yet: whoever arrives does    round
  //               so under the mutex
  //
  //   arrived     0 .. parties. It is parties only while the action of this round runs.
  //   round       counts up when a round is complete, and at reset()
  //
  // Without flags, a thread arrives, and the last one ends the round, by one read-modify-write and
  // no lock. With flags, the word is changed under the mutex, but for that an arrival that finds no
  // more than `sleepers` does not take it unless it is the last.
  //
  // A thread that waits first watches the word for a moment, and is known to nobody meanwhile. When
  // the round's number changes and there are no stragglers, the round was complete. Else it asks
  // under the mutex: one number is enough to know the broken rounds by, because no thread watches
  // the word in a round that begins while there are stragglers of another, so there can be
  // stragglers of one round only. A thread that stops watching enters the list, and is told there.
  using Word = std::uint64_t;
  static constexpr Word broken_bit = 1;
  static constexpr Word acting = 2;
  static constexpr Word doomed = 4;
  static constexpr Word sleepers = 8;
  static constexpr Word stragglers = 16;
  static constexpr int arrived_shift = 5;
  static constexpr int round_shift = arrived_shift + 24;
  static constexpr Word one_arrived = Word{1} << arrived_shift;

  static constexpr std::size_t arrived_in(Word word) noexcept {
    return static_cast<std::size_t>(word >> arrived_shift) & max_parties;
  }
  // It would take 2^35 rounds within one look at the word to deceive the thread that looks.
  static constexpr Word round_in(Word word) noexcept { return word >> round_shift; }
  // The round of that number, nobody having arrived; the flags that are not of one round stay.
  static constexpr Word empty_round(Word number, Word seen) noexcept {
    return (number << round_shift) | (seen & (acting | stragglers));
  }

  std::size_t arrive_slow(Until until);
  std::size_t watch(Word round, std::size_t index, Until until);
  std::size_t sleep(detail::ThreadNode& node, std::size_t index, detail::Patience& patience);
  std::size_t act(Word round);
  bool end_action(Word round, bool succeeded) noexcept;
  bool was_complete(Word round) noexcept;
  void end_broken(bool whole) noexcept;
  detail::WakeChain take_all(bool complete) noexcept;
  void forget(detail::ThreadNode& node) noexcept;
  [[nodiscard]] detail::WaitReason reason() const noexcept;
  [[noreturn]] void give_up(std::unique_lock<detail::Mutex>& lock);
  [[noreturn]] void give_up_next(detail::ThreadNode& node, std::unique_lock<detail::Mutex>& lock);
  [[noreturn]] void throw_gave_up() const;
  [[noreturn]] void throw_broken(const char* how) const;

  detail::Atomic<Word> word_{0};
  mutable detail::Mutex mutex_;
  // Guarded by mutex_.
  detail::WaitList waiters_;      // threads of this round, and such that wait for the action's end
  std::uint32_t sleeping_ = 0;    // how many in the list are of this round
  std::uint32_t straggling_ = 0;  // how many stragglers there are
  Word straggled_round_ = 0;      // the broken round that they are of
  detail::ThreadId actor_ = 0;    // who runs the action, or 0
  // Constant.
  const std::size_t parties_;
  const std::function<void()> action_;
  const std::optional<std::chrono::nanoseconds> timeout_;
  const char* const name_;
};

}  // namespace conc

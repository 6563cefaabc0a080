// ThreadState: what a Thread and the thread that it started share.
#pragma once

#include <conc/detail/machine.hpp>
#include <conc/detail/thread_record.hpp>
#include <conc/detail/waiting.hpp>
#include <conc/event.hpp>
#include <conc/thread.hpp>
#include <conc/until.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "started_threads.hpp"

namespace conc::detail {

// Shared by the Thread object and the running thread, since either may end first.
//
// phase     meaning                                     entered by
// fresh     not started                                 constructor; start() when it fails
// starting  start() is making the thread                start()
// running   the function runs, or is about to           the thread, at its first step
// ended     the function has returned and is destroyed  the thread, at its last
//
// In the child of a fork the threads that are gone count as ended, though nothing of them has been
// destroyed.
class ThreadState {
 public:
  ThreadState(ThreadOptions options, std::unique_ptr<ThreadBody> body);

  static void start(std::shared_ptr<ThreadState> self);
  bool join(Until until);

  // Waits for the end of one that was started and is not the calling thread, without memory too.
  void see_out() noexcept;

  // For the destructor of the Thread.
  void let_go() noexcept;

  bool is_alive() const {
    const Phase now = phase();
    return now == Phase::starting || now == Phase::running;
  }

  std::string name() const {
    const std::lock_guard lock(mutex_);
    return record_ != nullptr ? thread_name(*record_) : name_;
  }
  void set_name(std::string name);

  bool daemon() const {
    const std::lock_guard lock(mutex_);
    return daemon_;
  }
  void set_daemon(bool daemon);

  std::optional<std::uint64_t> ident() const {
    const std::lock_guard lock(mutex_);
    return ident_;
  }

  std::optional<std::int64_t> native_id() const {
    const std::lock_guard lock(mutex_);
    return native_id_;
  }

  std::stop_source& stop_source() noexcept { return stop_; }

  // For the list of the threads that were started, when this one enters it: true for one caller
  // only; and when its start has failed. Who is returned waits for its end already.
  bool leave_fresh() {
    const std::lock_guard lock(mutex_);
    return phase_ == Phase::fresh && (phase_ = Phase::starting, true);
  }
  [[nodiscard]] WakeChain return_to_fresh() noexcept {
    const std::lock_guard lock(mutex_);
    phase_ = Phase::fresh;
    return joiners_.take_all();
  }

  // In the child of a fork, for a thread that was started before. What the threads that are gone
  // may have held or waited for is made anew. False when it is one of those itself.
  bool outlives_fork() noexcept;

  // Whether the calling thread is this one, be it that only the destructors of its thread_local
  // objects and of its values of a Local are left.
  bool is_current() const noexcept;

 private:
  enum class Phase : std::uint8_t { fresh, starting, running, ended };

  Phase phase() const {
    const std::lock_guard lock(mutex_);
    return phase_;
  }

  std::string said(std::string_view what) const;
  void wait_until_begun();
  void forget() noexcept;
  void let_go_of_itself() noexcept;
  [[nodiscard]] bool is_over() const noexcept {  // with the mutex held
    return phase_ == Phase::ended || phase_ == Phase::fresh;
  }
  [[nodiscard]] bool wait_until_over(Patience& patience, bool may_throw);
  void wait_until_over_without_memory() noexcept;
  void reap();

  // ---- The thread's own part
  void run() noexcept;
  void begin();
  void escaped(const std::exception_ptr& exception) const noexcept;
  void keep_name() noexcept;

  const std::uint64_t number_;  // of no other one

  mutable Mutex mutex_;
  Phase phase_ = Phase::fresh;
  std::unique_ptr<ThreadBody> body_;  // the thread's own, once it runs
  std::string name_;
  bool daemon_;
  ThreadRecord* record_ = nullptr;  // while it runs
  std::optional<std::uint64_t> ident_;
  std::optional<std::int64_t> native_id_;

  WaitList joiners_;

  std::stop_source stop_;
  Event begun_{"start of a thread"};
  std::exception_ptr failure_;  // to begin; the thread's own until it sets begun_, then start()'s
  Mutex joining_;               // held while one of those who join() waits for the operating system

  // Guarded by joining_.
  NativeThread native_;
  std::optional<StartedThreads::Place> place_;

  bool object_gone_ = false;  // the Thread was destroyed in this very thread, which alone asks
};

}  // namespace conc::detail

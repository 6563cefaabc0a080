// Condition against std::condition_variable.

#include <conc/condition.hpp>
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>

#include <condition_variable>
#include <cstddef>
#include <mutex>

#include "condition_rows.hpp"

namespace {

class Turns {
 public:
  static constexpr std::size_t changed_size = sizeof(conc::Condition);

  void take(std::size_t me) {
    const conc::LockGuard hold(lock_);
    changed_.wait_for([this, me] { return turn_ == me; });
    turn_ = 1 - turn_;
    changed_.notify();
  }

 private:
  conc::Lock lock_;
  conc::Condition changed_{lock_};
  std::size_t turn_ = 0;
};

class StdTurns {
 public:
  static constexpr std::size_t changed_size = sizeof(std::condition_variable);

  void take(std::size_t me) {
    std::unique_lock hold(lock_);
    changed_.wait(hold, [this, me] { return turn_ == me; });
    turn_ = 1 - turn_;
    changed_.notify_one();
  }

 private:
  std::mutex lock_;
  std::condition_variable changed_;
  std::size_t turn_ = 0;
};

[[maybe_unused]] const bool registered =
    conc::bench::condition_rows<Turns>("") && conc::bench::condition_rows<StdTurns>("_std");

}  // namespace

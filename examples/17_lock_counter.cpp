// SPDX-License-Identifier: MIT-0
//
// A counter that several threads use. The lock is a member, and whoever changes the number takes
// it: in the long form with acquire() and release(), or better with a guard, which releases it
// whatever happens.

#include <cstdio>
#include <stdexcept>

#include <conc/config.hpp>
#include <conc/errors.hpp>
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>
#include <conc/thread.hpp>

class Counter {
 public:
  void increase() {
    const conc::LockGuard hold(lock_);
    ++value_;
  }
  void decrease() {
    lock_.acquire();
    --value_;
    lock_.release();
  }
  // The guard releases the lock when an exception leaves its scope, too.
  void fail() {
    const conc::LockGuard hold(lock_);
    throw std::runtime_error("no more paper");
  }
  int value() {
    const conc::LockGuard hold(lock_);
    return value_;
  }
  bool locked() const { return lock_.locked(); }

 private:
  conc::Lock lock_{"counter"};
  int value_ CONC_GUARDED_BY(lock_) = 0;
};

int main() {
  Counter counter;
  conc::Thread up([&] {
    for (int i = 0; i < 1000; ++i) counter.increase();
  });
  conc::Thread down([&] {
    for (int i = 0; i < 400; ++i) counter.decrease();
  });
  up.start();
  down.start();
  up.join();
  down.join();
  std::printf("1000 up and 400 down: %d\n", counter.value());

  try {
    counter.fail();
  } catch (const std::runtime_error& error) {
    std::printf("%s, and the lock is %s\n", error.what(), counter.locked() ? "held" : "free");
  }
}

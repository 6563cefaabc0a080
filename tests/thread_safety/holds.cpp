// Correct use of every lock in every way. clang's -Wthread-safety must accept it without a word.
#include <conc/bounded_semaphore.hpp>
#include <conc/condition.hpp>
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>
#include <conc/rlock.hpp>
#include <conc/semaphore.hpp>

#include <chrono>

namespace {

using namespace std::chrono_literals;

class Account {
 public:
  void deposit(int amount) {
    const conc::LockGuard hold(lock_);
    balance_ += amount;
  }

  bool deposit_soon(int amount) {
    if (!lock_.acquire(50ms)) return false;
    balance_ += amount;
    lock_.release();
    return true;
  }

  bool deposit_at_once(int amount) {
    if (!lock_.try_acquire()) return false;
    add(amount);
    lock_.release();
    return true;
  }

  void by_hand(int amount) {
    lock_.acquire();
    add(amount);
    lock_.release();
  }

  // Under the standard's names.
  void by_standard_names(int amount) {
    lock_.lock();
    add(amount);
    lock_.unlock();
    if (lock_.try_lock()) {
      add(amount);
      lock_.unlock();
    }
    if (lock_.try_lock_for(1ms)) {
      add(amount);
      lock_.unlock();
    }
  }

  int balance() CONC_EXCLUDES(lock_) {
    const conc::LockGuard hold(lock_);
    return balance_;
  }

 private:
  void add(int amount) CONC_REQUIRES(lock_) { balance_ += amount; }

  conc::Lock lock_{"account"};
  int balance_ CONC_GUARDED_BY(lock_) = 0;
};

class Tree {
 public:
  void grow() {
    const conc::LockGuard hold(lock_);
    ++leaves_;
    *last_leaf_ = leaves_;
  }

  int grow_if_nobody_looks() {
    if (!lock_.try_acquire()) return 0;
    const int grown = ++leaves_;
    lock_.release();
    return grown;
  }

 private:
  conc::RLock lock_;
  int leaves_ CONC_GUARDED_BY(lock_) = 0;
  int first_leaf_ = 0;
  int* last_leaf_ CONC_PT_GUARDED_BY(lock_) = &first_leaf_;
};

class Box {
 public:
  void put(int thing) {
    const conc::LockGuard hold(changed_);
    thing_ = thing;
    full_ = true;
    changed_.notify();
  }

  int take() {
    const conc::LockGuard hold(changed_);
    while (!full_) changed_.wait();
    full_ = false;
    return thing_;
  }

  int take_by_predicate() {
    const conc::LockGuard hold(changed_);
    changed_.wait_for([&]() CONC_REQUIRES(changed_) { return full_; });
    full_ = false;
    return thing_;
  }

  bool take_by_predicate_soon(int& thing) {
    const conc::LockGuard hold(changed_);
    if (!changed_.wait_for([&]() CONC_REQUIRES(changed_) { return full_; }, 50ms)) return false;
    full_ = false;
    thing = thing_;
    return true;
  }

  bool take_soon(int& thing) {
    const conc::LockGuard hold(changed_);
    while (!full_) {
      if (!changed_.wait(50ms)) return false;
    }
    full_ = false;
    thing = thing_;
    return true;
  }

 private:
  conc::Condition changed_;
  bool full_ CONC_GUARDED_BY(changed_) = false;
  int thing_ CONC_GUARDED_BY(changed_) = 0;
};

// Two conditions on one lock: it is the lock that is held, and that guards.
class Belt {
 public:
  void put() {
    const conc::LockGuard hold(lock_);
    while (things_ == 3) room_.wait();
    ++things_;
    thing_.notify();
  }
  void take() {
    const conc::LockGuard hold(lock_);
    while (things_ == 0) thing_.wait();
    --things_;
    room_.notify();
  }

 private:
  conc::Lock lock_;
  conc::Condition room_{lock_};
  conc::Condition thing_{lock_};
  int things_ CONC_GUARDED_BY(lock_) = 0;
};

// Permits belong to nobody, so a semaphore is no lock to the analysis: a thread may take several, and
// give what another took.
class Pool {
 public:
  void borrow() { free_.acquire(); }
  bool borrow_soon() { return free_.acquire(50ms); }
  void give_back() { free_.release(); }
  void visit() { const conc::LockGuard permit(free_); }
  void visit_by_two() {
    const conc::LockGuard one(free_);
    const conc::LockGuard another(free_);
    const conc::LockGuard seat(seats_);
    const conc::LockGuard seat_beside(seats_);
  }
  void borrow_by_standard_names() {
    free_.acquire();
    free_.unlock();
    free_.lock();
    seats_.lock();
  }
  bool borrow_soon_by_standard_names() {
    return free_.try_lock() && free_.try_lock_for(50ms) && seats_.try_lock();
  }
  void give_back_by_standard_names() {
    free_.unlock();
    seats_.unlock();
  }
  void rest() { const conc::LockGuard seat(seats_); }

 private:
  conc::Semaphore free_{4};
  conc::BoundedSemaphore seats_{2};
};

}  // namespace

int main() {
  Account account;
  account.deposit(1);
  account.by_hand(1);
  account.by_standard_names(1);
  Tree tree;
  tree.grow();
  Box box;
  box.put(1);
  int thing = box.take();
  box.put(thing);
  thing = box.take_by_predicate();
  Belt belt;
  belt.put();
  belt.take();
  Pool pool;
  pool.borrow();
  pool.give_back();
  pool.visit();
  pool.rest();
  pool.visit_by_two();
  pool.borrow_by_standard_names();
  pool.give_back_by_standard_names();
  return account.deposit_soon(1) && account.deposit_at_once(1) && pool.borrow_soon() &&
                 pool.borrow_soon_by_standard_names() && box.take_soon(thing) &&
                 box.take_by_predicate_soon(thing) && tree.grow_if_nobody_looks() != 0
             ? account.balance()
             : 0;
}

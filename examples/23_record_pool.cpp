// SPDX-License-Identifier: MIT-0
//
// Ten threads, of which three at a time may be at work: a Semaphore with three permits. Who is at
// work is kept in a record, and that has a lock of its own: the semaphore lets three in at once.

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <conc/config.hpp>
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>
#include <conc/semaphore.hpp>
#include <conc/thread.hpp>

class Record {
 public:
  void enter(const std::string& name) {
    const conc::LockGuard hold(lock_);
    active_.insert(name);
    most_ = std::max(most_, active_.size());
    ++entries_;
  }
  void leave(const std::string& name) {
    const conc::LockGuard hold(lock_);
    active_.erase(name);
  }
  void print() {
    const conc::LockGuard hold(lock_);
    std::printf("%d have worked, never more than 3 at once: %s, still there: %zu\n", entries_,
                most_ <= 3 ? "true" : "false", active_.size());
  }

 private:
  conc::Lock lock_{"record"};
  std::set<std::string> active_ CONC_GUARDED_BY(lock_);
  std::size_t most_ CONC_GUARDED_BY(lock_) = 0;
  int entries_ CONC_GUARDED_BY(lock_) = 0;
};

int main() {
  conc::Semaphore seats(3, "seats");
  Record record;
  std::vector<conc::Thread> threads;
  for (int i = 0; i < 10; ++i) {
    threads.emplace_back([&, name = "guest " + std::to_string(i)] {
      const std::scoped_lock seat(seats);
      record.enter(name);
      record.leave(name);
    });
  }
  for (conc::Thread& thread : threads) thread.start();
  for (conc::Thread& thread : threads) thread.join();
  record.print();

  for (int i = 0; i < 4; ++i) std::printf("%s ", seats.try_acquire() ? "true" : "false");
  std::printf("\n");
  seats.release(3);
}

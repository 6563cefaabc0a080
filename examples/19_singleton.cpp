// SPDX-License-Identifier: MIT-0
//
// Ten threads ask for the one object of a class at the same time, and all get the same. The lock
// belongs to the class, so the first one makes the object while the others wait.
//
// For an object that lives as long as the program, C++ does all this by itself:
//   static Settings settings;   inside of a function

#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <conc/barrier.hpp>
#include <conc/config.hpp>
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>
#include <conc/thread.hpp>

class Settings {
 public:
  static Settings& instance() {
    const conc::LockGuard hold(lock);
    if (!only) only.reset(new Settings);
    return *only;
  }
  static int made() {
    const conc::LockGuard hold(lock);
    return count;
  }

 private:
  Settings() CONC_REQUIRES(lock) { ++count; }

  static inline conc::Lock lock{"settings"};
  static inline std::unique_ptr<Settings> only CONC_GUARDED_BY(lock);
  static inline int count CONC_GUARDED_BY(lock) = 0;
};

int main() {
  constexpr std::size_t n = 10;
  conc::Barrier start(n);
  std::vector<Settings*> seen(n);
  std::vector<conc::Thread> threads;
  for (std::size_t i = 0; i < n; ++i) {
    threads.emplace_back([&, i] {
      start.wait();
      seen[i] = &Settings::instance();
    });
  }
  for (conc::Thread& thread : threads) thread.start();
  for (conc::Thread& thread : threads) thread.join();
  const std::set<Settings*> different(seen.begin(), seen.end());
  std::printf("%zu threads, %zu object, made %d time\n", n, different.size(), Settings::made());
}

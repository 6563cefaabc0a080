// Ends a test program that does not go on. A wake-up that was lost shows as a thread that waits for
// ever, and a hang by itself says nothing.
#pragma once

#include <conc/diagnostics.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace conc::test {

// While it lives, done() must be called at least once in `patience`; half a minute is for ever on
// any machine. Otherwise it writes what came last, and what every thread waits for, to stderr, and
// aborts. done() is for one thread.
class Watchdog {
 public:
  // `what` is what is counted: "round trips".
  explicit Watchdog(std::string what, std::chrono::nanoseconds patience = std::chrono::seconds(30))
      : what_(std::move(what)), patience_(patience), thread_([this] { watch(); }) {}
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    ended_.notify_one();
    thread_.join();
  }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // One more of them is over.
  void done() noexcept {
    count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

 private:
  void watch() {
    std::int64_t before = 0;
    std::unique_lock lock(mutex_);
    while (!ended_.wait_for(lock, patience_, [this] { return over_; })) {
      const std::int64_t now = count_.load(std::memory_order_relaxed);
      if (now == before) {
        std::cerr << "Nothing has gone on after " << now << ' ' << what_ << ":\n";
        dump_threads(std::cerr);
        std::abort();
      }
      before = now;
    }
  }

  // On a line of its own, away from what the test measures or shares.
  alignas(64) std::atomic<std::int64_t> count_{0};
  alignas(64) std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  const std::string what_;
  const std::chrono::nanoseconds patience_;
  std::thread thread_;
};

}  // namespace conc::test

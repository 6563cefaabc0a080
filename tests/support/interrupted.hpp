// A thread whose system calls are interrupted by signals.
#pragma once

#include <atomic>
#include <csignal>
#include <stdexcept>
#include <thread>
#include <utility>

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "asleep.hpp"
#include "eventually.hpp"

namespace conc::test {

// Runs a function that is going to sleep in a system call. One at a time.
class Interrupted {
 public:
  template <class F>
  explicit Interrupted(F&& sleep) {
    struct sigaction action = {};  // without SA_RESTART: the call fails with EINTR
    action.sa_handler = [](int) { ++signals_; };
    if (sigaction(SIGUSR1, &action, &before_) != 0) throw std::runtime_error("Interrupted");
    thread_ = std::thread([this, sleep = std::forward<F>(sleep)] {
      id_ = ::syscall(SYS_gettid);
      sleep();
      done_ = true;
    });
  }
  ~Interrupted() {
    thread_.join();
    sigaction(SIGUSR1, &before_, nullptr);
  }
  Interrupted(const Interrupted&) = delete;
  Interrupted& operator=(const Interrupted&) = delete;

  // Sends a signal while the thread sleeps, so many times; no more once the function has returned.
  // False when the thread never sleeps.
  [[nodiscard]] bool interrupt(int times) {
    for (; times != 0 && !done_; --times) {
      if (!eventually([this] { return done_ || asleep_natively(id_); })) return false;
      if (done_) break;
      const int before = signals_;
      pthread_kill(thread_.native_handle(), SIGUSR1);
      if (!eventually([&] { return signals_ != before; })) return false;
    }
    return true;
  }

 private:
  static inline std::atomic<int> signals_{0};
  struct sigaction before_ = {};
  std::atomic<long> id_{0};  // of the thread, by the kernel; 0 until it runs
  std::atomic<bool> done_{false};
  std::thread thread_;
};

}  // namespace conc::test

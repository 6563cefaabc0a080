// Keeps a sleeping thread from going on although it has been woken, so that another one comes
// before it for certain, and not when the scheduler likes.
#pragma once

#include <atomic>
#include <cerrno>
#include <stdexcept>
#include <thread>

#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include "asleep.hpp"
#include "eventually.hpp"

namespace conc::test {

// Waits until `thread`, the only one in the process that does, sleeps in a call of conc; there it
// stays, in the handler of a signal, as long as this object lives. A dump takes the mutex under
// which a thread writes down that it sleeps, and which it gives up when it lies down: so the signal
// meets it in the operating system's wait, with no lock held. One at a time.
class HeldBack {
 public:
  explicit HeldBack(std::thread& thread) {
    struct sigaction action = {};
    action.sa_handler = &HeldBack::stay;
    const auto it_sleeps = [] { return somebody_sleeps([](const auto&) { return true; }); };
    if (!eventually(it_sleeps) || sigaction(SIGUSR1, &action, &before_) != 0) {
      throw std::runtime_error("HeldBack: nobody to hold");
    }
    held_ = false;
    let_go_ = false;
    pthread_kill(thread.native_handle(), SIGUSR1);
    if (!eventually([] { return held_.load(); })) {
      throw std::runtime_error("HeldBack: the signal has not come");
    }
  }
  ~HeldBack() {
    let_go_ = true;
    static_cast<void>(eventually([] { return !held_.load(); }));
    sigaction(SIGUSR1, &before_, nullptr);
  }
  HeldBack(const HeldBack&) = delete;
  HeldBack& operator=(const HeldBack&) = delete;

 private:
  static void stay(int) {
    const int error = errno;
    held_ = true;
    while (!let_go_) ::poll(nullptr, 0, 1);
    held_ = false;
    errno = error;
  }

  static inline std::atomic<bool> held_{false};
  static inline std::atomic<bool> let_go_{false};
  struct sigaction before_ = {};
};

}  // namespace conc::test

// SPDX-License-Identifier: MIT-0
//
// Ctrl-C as a stop request.
#pragma once

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <stop_token>

#include <conc/thread.hpp>

namespace tour {

// Makes a stop request of the first SIGINT or SIGTERM; the second ends the program at once.
//
// A signal handler may do next to nothing, and least of all request a stop. So there is none: the
// signals are blocked in all threads, and one thread waits for them, which then may do anything. To
// be made before any other thread, because a thread inherits what is blocked from its maker.
class Interrupt {
 public:
  Interrupt()
      : listener_({.name = "signals"}, [this](const std::stop_token& end) { listen(end); }) {
    sigemptyset(&signals_);
    for (const int signal : {SIGINT, SIGTERM, wake_up}) sigaddset(&signals_, signal);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    listener_.start();
  }

  ~Interrupt() {
    listener_.request_stop();
    kill(getpid(), wake_up);
  }

  std::stop_token token() const { return source_.get_token(); }

  // The one that came; 0 if none did.
  int signal() const { return signal_; }

 private:
  static constexpr int wake_up = SIGUSR1;

  void listen(const std::stop_token& end) {
    int signal = 0;
    while (sigwait(&signals_, &signal) == 0 && !end.stop_requested()) {
      if (signal == wake_up) continue;
      if (signal_ != 0) std::_Exit(128 + signal);
      signal_ = signal;
      source_.request_stop();
    }
  }

  sigset_t signals_;
  std::atomic<int> signal_ = 0;
  std::stop_source source_;
  conc::Thread listener_;
};

}  // namespace tour

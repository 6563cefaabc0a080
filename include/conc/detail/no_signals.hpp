// NoSignals: keeps the program's signals away from the threads that the library has for itself.
#pragma once

#include <csignal>
#include <initializer_list>

#include <pthread.h>

namespace conc::detail {

// While it lives, the calling thread blocks all signals, and so do the threads that it starts, for
// good: the program's signals are not for a thread that it does not know of, which would run its
// handlers, or be ended by a signal that all other threads block. Faults are not blocked: they come
// to the thread whose instruction failed, and end the process unheard if that blocks them.
class NoSignals {
 public:
  NoSignals() noexcept {
    sigset_t all;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigdelset(&all, fault);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace conc::detail

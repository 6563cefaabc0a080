#include <conc/detail/machine.hpp>
#include <conc/logging/flush_on_crash.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <mutex>

#include <csignal>

#include "block.hpp"

namespace conc::logging {
namespace {

struct Signal {
  int number;
  bool is_fault;    // an instruction failed, and fails again if it is tried again
  bool is_request;  // somebody wants the process to end; a program that hears of it ends in order
};
constexpr std::array signals{
    Signal{SIGSEGV, true, false}, Signal{SIGBUS, true, false},   Signal{SIGFPE, true, false},
    Signal{SIGILL, true, false},  Signal{SIGABRT, false, false}, Signal{SIGTERM, false, true},
    Signal{SIGINT, false, true},  Signal{SIGHUP, false, true},   Signal{SIGQUIT, false, true},
};

// What was to become of each signal. `before` is written before `known` is set, and only then is
// the handler there that reads it.
struct Fate {
  struct ::sigaction before {};
  conc::detail::Atomic<bool> known{false};
};
constinit std::array<Fate, signals.size()> fates{};

void flush_and_go_on(int signal, ::siginfo_t* info, void*) {
  const int error = errno;
  detail::Block::write_all_after_crash();
  bool comes_again = false;
  for (std::size_t i = 0; i != signals.size(); ++i) {
    if (signals[i].number != signal) continue;
    if (fates[i].known.load(std::memory_order_acquire)) {
      ::sigaction(signal, &fates[i].before, nullptr);
    }
    comes_again = signals[i].is_fault && info != nullptr && info->si_code > 0;
  }
  // Otherwise it was sent, and is sent again: it comes when this handler returns.
  if (!comes_again) ::raise(signal);
  errno = error;
}

}  // namespace

void flush_on_crash() noexcept {
  static constinit conc::detail::Mutex mutex;
  const std::lock_guard guard(mutex);
  for (std::size_t i = 0; i != signals.size(); ++i) {
    struct ::sigaction now {};
    if (::sigaction(signals[i].number, nullptr, &now) != 0) continue;
    const bool plain = (now.sa_flags & SA_SIGINFO) == 0;
    if (!plain && now.sa_sigaction == &flush_and_go_on) continue;
    if (plain && now.sa_handler == SIG_IGN) continue;
    const bool handled = !plain || now.sa_handler != SIG_DFL;
    if (handled && signals[i].is_request) continue;
    fates[i].before = now;
    fates[i].known.store(true, std::memory_order_release);
    struct ::sigaction next {};
    next.sa_sigaction = &flush_and_go_on;
    next.sa_flags = SA_SIGINFO | SA_ONSTACK;  // a stack may be what is at its end
    sigfillset(&next.sa_mask);
    ::sigaction(signals[i].number, &next, nullptr);
  }
}

}  // namespace conc::logging

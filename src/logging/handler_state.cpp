#include "handler_state.hpp"

#include <atomic>
#include <new>

namespace conc::logging {
namespace {

constexpr const char* lock_name = "logging.Handler";

constinit conc::detail::Atomic<std::uint64_t> last_serial{0};

}  // namespace

Handler::State::State(Wants what)
    : wants(what),
      serial(last_serial.fetch_add(1, std::memory_order_relaxed) + 1),
      lock(lock_name) {}

void Handler::State::fork(detail::ForkMoment moment, Until until) {
  switch (moment) {
    case detail::ForkMoment::before:
      // A thread that forks inside of emit(), or of another member, has it already.
      held_by_program_ = conc::detail::Inspect::held_here(lock);
      held_by_fork_ = !held_by_program_ && lock.acquire(until);
      return;
    case detail::ForkMoment::in_parent:
      if (held_by_fork_) lock.release();
      return;
    case detail::ForkMoment::in_child:
      // Not released, since it would be handed over to a thread that is not there.
      ::new (static_cast<void*>(&lock)) Lock(lock_name);
      if (held_by_program_) lock.acquire();
      outfit.renew_after_fork();
      return;
  }
}

}  // namespace conc::logging

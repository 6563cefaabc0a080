#include "process_id.hpp"

#include <conc/detail/machine.hpp>

#include <atomic>

#include <pthread.h>
#include <unistd.h>

namespace conc::logging::detail {
namespace {

constinit conc::detail::Atomic<std::int64_t> known_id{0};  // 0: not asked yet

std::int64_t ask() noexcept {
  const std::int64_t id = ::getpid();
  // Forgotten in the child. If there is no room for that, it is asked anew each time.
  static const bool forgets =
      ::pthread_atfork(nullptr, nullptr, [] { known_id.store(0, std::memory_order_relaxed); }) == 0;
  if (forgets) known_id.store(id, std::memory_order_relaxed);
  return id;
}

}  // namespace

std::int64_t process_id() noexcept {
  const std::int64_t id = known_id.load(std::memory_order_relaxed);
  return id != 0 ? id : ask();
}

}  // namespace conc::logging::detail

#include "process_id.hpp"

#include <conc/detail/machine.hpp>

#include <atomic>

#include <unistd.h>

namespace conc::logging::detail {
namespace {

constinit conc::detail::Atomic<std::int64_t> known_id{0};  // 0: not asked yet

}  // namespace

std::int64_t process_id() noexcept {
  std::int64_t id = known_id.load(std::memory_order_relaxed);
  if (id == 0) {
    id = ::getpid();
    known_id.store(id, std::memory_order_relaxed);
  }
  return id;
}

void forget_process_id() noexcept { known_id.store(0, std::memory_order_relaxed); }

}  // namespace conc::logging::detail

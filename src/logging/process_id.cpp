#include "process_id.hpp"

#include <unistd.h>

namespace conc::logging::detail {

constinit conc::detail::Atomic<std::int64_t> known_process_id{0};

std::int64_t look_up_process_id() noexcept {
  const std::int64_t id = ::getpid();
  known_process_id.store(id, std::memory_order_relaxed);
  return id;
}

void forget_process_id() noexcept { known_process_id.store(0, std::memory_order_relaxed); }

}  // namespace conc::logging::detail

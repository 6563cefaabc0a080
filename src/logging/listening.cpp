#include "listening.hpp"

#include <conc/detail/machine.hpp>

#include <algorithm>
#include <mutex>
#include <vector>

namespace conc::logging::detail {
namespace {

constinit thread_local const void* queue_of_this_thread = nullptr;

// One entry for each listener that runs. Never destroyed, since listeners may run until the process
// ends; the static pointer keeps it reachable.
struct Roll {
  conc::detail::Mutex mutex;
  std::vector<const void*> queues;  // guarded by mutex

  static Roll& instance() {
    static Roll* const roll = new Roll;
    return *roll;
  }
};

}  // namespace

Listening::Listening(const void* queue) : queue_(queue) {
  Roll& roll = Roll::instance();
  const std::lock_guard guard(roll.mutex);
  roll.queues.push_back(queue);
}

Listening::~Listening() {
  Roll& roll = Roll::instance();
  const std::lock_guard guard(roll.mutex);
  roll.queues.erase(std::find(roll.queues.begin(), roll.queues.end(), queue_));
}

void Listening::set_here(const void* queue) noexcept { queue_of_this_thread = queue; }

bool Listening::here(const void* queue) noexcept { return queue_of_this_thread == queue; }

bool Listening::anywhere(const void* queue) noexcept {
  Roll& roll = Roll::instance();
  const std::lock_guard guard(roll.mutex);
  return std::find(roll.queues.begin(), roll.queues.end(), queue) != roll.queues.end();
}

}  // namespace conc::logging::detail

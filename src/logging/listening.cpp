#include "listening.hpp"

#include <algorithm>
#include <mutex>

namespace conc::logging::detail {
namespace {

// Never destroyed, since listeners may run until the process ends; the static pointer keeps it
// reachable.
struct Roll {
  conc::detail::Mutex mutex;
  // Guarded by mutex.
  std::vector<const Listening*> running;
  std::vector<const Listening*> orphans;

  static Roll& instance() {
    static Roll* const roll = new Roll;
    return *roll;
  }
};

[[maybe_unused]] const bool at_load = (Roll::instance(), true);

}  // namespace

constinit conc::detail::Atomic<bool> Listening::has_orphans{false};
constinit thread_local const void* Listening::queue_of_this_thread = nullptr;

Listening::Listening(const void* queue, const void* listener, Handle handle)
    : queue_(queue), listener_(listener), handle_(handle) {
  Roll& roll = Roll::instance();
  const std::lock_guard guard(roll.mutex);
  // Room in both, so that fork() need not allocate.
  roll.orphans.reserve(roll.orphans.size() + roll.running.size() + 1);
  roll.running.push_back(this);
}

Listening::~Listening() {
  Roll& roll = Roll::instance();
  const std::lock_guard guard(roll.mutex);
  std::erase(roll.running, this);
  std::erase(roll.orphans, this);
}

bool Listening::any_of(const std::vector<const Listening*>& some, const void* queue) noexcept {
  return std::any_of(some.begin(), some.end(),
                     [queue](const Listening* one) { return one->queue_ == queue; });
}

bool Listening::anywhere(const void* queue) noexcept {
  Roll& roll = Roll::instance();
  const std::lock_guard guard(roll.mutex);
  return any_of(roll.running, queue);
}

bool Listening::among_orphans_alone(const void* queue) noexcept {
  Roll& roll = Roll::instance();
  const std::lock_guard guard(roll.mutex);
  return any_of(roll.orphans, queue) && !any_of(roll.running, queue);
}

bool Listening::orphan(const void* listener) noexcept {
  if (!has_orphans.load(std::memory_order_relaxed)) return false;
  Roll& roll = Roll::instance();
  const std::lock_guard guard(roll.mutex);
  return std::any_of(roll.orphans.begin(), roll.orphans.end(),
                     [listener](const Listening* one) { return one->listener_ == listener; });
}

void Listening::handle_orphaned(const void* queue, const LogRecord& record) {
  std::vector<const Listening*> orphans;
  {
    Roll& roll = Roll::instance();
    const std::lock_guard guard(roll.mutex);
    orphans = roll.orphans;
  }
  for (const Listening* one : orphans) {
    if (one->queue_ == queue) one->handle_(one->listener_, record);
  }
}

void Listening::lock_all() { Roll::instance().mutex.lock(); }

void Listening::unlock_all() { Roll::instance().mutex.unlock(); }

void Listening::orphan_all() noexcept {
  Roll& roll = Roll::instance();
  if (roll.running.empty()) return;
  roll.orphans.insert(roll.orphans.end(), roll.running.begin(), roll.running.end());
  roll.running.clear();
  has_orphans.store(true, std::memory_order_relaxed);
}

}  // namespace conc::logging::detail

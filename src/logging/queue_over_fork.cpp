#include "queue_over_fork.hpp"

#include <conc/detail/machine.hpp>
#include <conc/select.hpp>

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <vector>

namespace conc::logging::detail {
namespace {

struct Entry {
  RecordQueue* queue;
  std::size_t users;
};

// Never destroyed, since handlers may live until the process ends; the static pointer keeps it
// reachable.
struct Queues {
  conc::detail::Mutex mutex;
  std::vector<Entry> all;  // guarded by mutex; each queue once

  static Queues& instance() {
    static Queues* const queues = new Queues;
    return *queues;
  }

  [[nodiscard]] std::vector<Entry>::iterator find(const RecordQueue& queue) {
    return std::find_if(all.begin(), all.end(),
                        [&queue](const Entry& entry) { return entry.queue == &queue; });
  }
};

[[maybe_unused]] const bool at_load = (Queues::instance(), true);

conc::detail::QueueCore& core(const Entry& entry) noexcept {
  return conc::detail::QueueAccess::core(*entry.queue);
}

}  // namespace

QueueOverFork::QueueOverFork(RecordQueue& queue) : queue_(queue) {
  Queues& queues = Queues::instance();
  const std::lock_guard guard(queues.mutex);
  if (const auto known = queues.find(queue); known != queues.all.end()) {
    ++known->users;
  } else {
    queues.all.push_back({&queue, 1});
  }
}

QueueOverFork::~QueueOverFork() {
  Queues& queues = Queues::instance();
  const std::lock_guard guard(queues.mutex);
  const auto entry = queues.find(queue_);
  if (--entry->users == 0) queues.all.erase(entry);
}

void QueueOverFork::lock_all() noexcept {
  Queues& queues = Queues::instance();
  queues.mutex.lock();
  for (const Entry& entry : queues.all) core(entry).lock_for_fork();
}

void QueueOverFork::unlock_all() noexcept {
  Queues& queues = Queues::instance();
  for (const Entry& entry : queues.all) core(entry).unlock_after_fork();
  queues.mutex.unlock();
}

void QueueOverFork::renew_after_fork() noexcept {
  Queues& queues = Queues::instance();
  for (const Entry& entry : queues.all) {
    core(entry).renew_after_fork();
    while (entry.queue->try_get()) entry.queue->task_done();
  }
  queues.mutex.unlock();
}

}  // namespace conc::logging::detail

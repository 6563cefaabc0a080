#include <conc/detail/no_signals.hpp>
#include <conc/detail/queue_core.hpp>
#include <conc/detail/thread_record.hpp>
#include <conc/detail/waiting.hpp>
#include <conc/diagnostics.hpp>

#include <algorithm>
#include <csignal>
#include <mutex>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "detail/dump.hpp"
#include "detail/fork.hpp"
#include "detail/wait_words.hpp"

namespace conc {
namespace {

using detail::WaitKind;

// Takes down what a thread waits for, under its record's mutex. The object is there: see
// ThreadNode::asleep().
class Clerk {
 public:
  explicit Clerk(Snapshot& seen) noexcept : seen_(seen) {}

  void look(detail::ThreadRecord& record) {
    ThreadSnapshot& thread = seen_.threads.emplace_back();
    const std::lock_guard lock(record.mutex);
    thread.info = {record.name, record.id, record.native_id, record.daemon, true, record.main};
    const detail::ThreadNode* const node = record.sleeps_in;
    if (node == nullptr || !node->asleep()) return;
    const detail::WaitReason& reason = node->reason();
    ThreadWait wait;
    wait.action = detail::words_of(reason.kind).action;
    wait.since = node->since();
    if (node->deadline() != detail::SteadyClock::time_point::max())
      wait.deadline = node->deadline();
    wait.idle = detail::is_idle(reason.kind);
    wait.object = place_of(reason);
    thread.wait = wait;
  }

  // Once all threads have been seen.
  void list_waiters() {
    std::vector<const ThreadSnapshot*> waiting;
    for (const ThreadSnapshot& thread : seen_.threads) {
      if (thread.wait) waiting.push_back(&thread);
    }
    std::stable_sort(waiting.begin(), waiting.end(),
                     [](const ThreadSnapshot* a, const ThreadSnapshot* b) {
                       return a->wait->since < b->wait->since;
                     });
    for (const ThreadSnapshot* const thread : waiting) {
      seen_.objects[thread->wait->object].waiters.push_back(thread->info.ident);
    }
  }

 private:
  std::size_t place_of(const detail::WaitReason& reason) {
    const std::string_view type = detail::words_of(reason.kind).type;
    for (std::size_t place = 0; place < types_.size(); ++place) {
      if (seen_.objects[place].address == reason.object && types_[place] == type) return place;
    }
    types_.push_back(type);
    describe(reason, seen_.objects.emplace_back());
    return types_.size() - 1;
  }

  static void describe(const detail::WaitReason& reason, ContendedObject& object) {
    object.type = detail::words_of(reason.kind).type;
    object.address = reason.object;
    if (reason.name != nullptr) object.name = reason.name;
    if (const detail::ThreadId holder = detail::holder_of(reason); holder != 0) {
      object.holder = holder;
    }
    switch (reason.kind) {
      case WaitKind::queue_put:
      case WaitKind::queue_get:
      case WaitKind::queue_select:
      case WaitKind::queue_join: {
        const auto& queue = *static_cast<const detail::QueueCore*>(reason.object);
        object.type = queue.type();
        object.fill = queue.size();
        if (queue.maxsize() != 0) object.maxsize = queue.maxsize();
        break;
      }
      default:
        break;
    }
  }

  Snapshot& seen_;
  // Of the objects, as their kinds have it. A condition and the lock in it are at one address.
  std::vector<std::string_view> types_;
};

// The threads that wait for signals. Never destroyed.
struct SignalDumps {
  static SignalDumps& instance() {
    static SignalDumps* const dumps = new SignalDumps;
    return *dumps;
  }

  detail::Mutex mutex;
  sigset_t known;

 private:
  SignalDumps() {
    sigemptyset(&known);
    detail::guard_over_fork(mutex, []() noexcept { sigemptyset(&instance().known); });
  }
};

[[maybe_unused]] const bool at_load = (SignalDumps::instance(), true);

}  // namespace

Snapshot snapshot() {
  Snapshot seen;
  seen.threads.reserve(detail::count_threads() + 16);
  seen.process_id = ::getpid();
  Clerk clerk(seen);
  detail::visit_threads([&clerk](detail::ThreadRecord& record) { clerk.look(record); });
  // Not before all have been seen: a wait that is in it began earlier.
  seen.time = detail::WallClock::now();
  seen.steady_time = detail::SteadyClock::now();
  clerk.list_waiters();
  return seen;
}

void dump_threads(std::ostream& out) { dump_threads(out, snapshot()); }

void dump_on_signal(int signal) {
  sigset_t set;
  sigemptyset(&set);
  if (signal == SIGKILL || signal == SIGSTOP || sigaddset(&set, signal) != 0) {
    throw std::invalid_argument("conc::dump_on_signal got " + std::to_string(signal) +
                                ", which is no signal that a program can wait for.");
  }
  SignalDumps& dumps = SignalDumps::instance();
  const std::lock_guard lock(dumps.mutex);
  if (sigismember(&dumps.known, signal) == 1) return;
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &set, &before);
  try {
    const detail::NoSignals none;  // it takes this one by sigwait, others not at all
    detail::NativeThread([set] {
      for (int got = 0; sigwait(&set, &got) == 0;) detail::dump_to_stderr();
    }).detach();
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  sigaddset(&dumps.known, signal);
}

}  // namespace conc

// Finds threads that wait for each other in a cycle, when the last of them is about to sleep.
//
// A thread waits for the one that holds its lock, runs the task of its future, or is to end; that
// one may wait in turn. Only waits without a deadline and without a stop token count, since the
// others end by themselves.
//
// Each thread makes its wait known and looks in one step, under the mutex of the registry: so when
// several go to sleep at once, the last of them sees the whole cycle, and no other one. It notes
// that in its node: who waits for threads of a known deadlock keeps quiet.
//
// The links of a cycle are seen one after another, so it is followed twice. When each thread is
// still in the same call, every one of them was in it at the moment between the two, and what it
// holds it holds: a thread that waits neither takes nor gives.
//
// But it may be given a lock, by a release that has not woken it yet. Then it seems to hold what it
// waits for: it is a cycle of its own, and no link of another one, so nobody but itself can take
// that for a deadlock. It asks the lock.

#include <conc/detail/lock_core.hpp>
#include <conc/detail/machine.hpp>
#include <conc/detail/thread_record.hpp>
#include <conc/detail/waiting.hpp>
#include <conc/diagnostics.hpp>
#include <conc/errors.hpp>
#include <conc/hooks.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "thread_registry.hpp"
#include "wait_words.hpp"

namespace conc {
namespace {

// An OnDeadlock, or unknown as long as nobody has said it and the environment was not asked.
constexpr int unknown = -1;
constinit detail::Atomic<int> chosen{unknown};

int what_to_do_unless_told() noexcept {
  const char* const text = std::getenv("CONC_DEADLOCK");
  const std::string_view word = text != nullptr ? text : "";
  const auto asked = word == "ignore"  ? OnDeadlock::ignore
                     : word == "raise" ? OnDeadlock::raise
                                       : OnDeadlock::report;
  int before = unknown;
  if (!chosen.compare_exchange_strong(before, static_cast<int>(asked), std::memory_order_relaxed)) {
    return before;  // somebody was faster, and has complained, or needs not
  }
  if (asked == OnDeadlock::report && word != "report" && !word.empty()) {
    std::fprintf(stderr,
                 "conc: CONC_DEADLOCK=%s is none of ignore, report and raise. Deadlocks are "
                 "reported.\n",
                 text);
  }
  return static_cast<int>(asked);
}

OnDeadlock what_to_do() noexcept {
  const int now = chosen.load(std::memory_order_relaxed);
  return static_cast<OnDeadlock>(now != unknown ? now : what_to_do_unless_told());
}

}  // namespace

void on_deadlock(OnDeadlock reaction) noexcept {
  chosen.store(static_cast<int>(reaction), std::memory_order_relaxed);
}

namespace detail {
namespace {

// A thread that sleeps, in which of its calls, and the thread that it waits for.
struct Link {
  ThreadRecord* sleeper;
  const ThreadNode* node;
  SteadyClock::time_point since;
  ThreadId holder;
  std::string wait;  // `waits to acquire Lock "gun" held by `, when it is asked for

  [[nodiscard]] bool is_same_call(const Link& other) const noexcept {
    return node == other.node && since == other.since && holder == other.holder;
  }
};
using Links = std::vector<Link>;

// Follows the holders from the thread that waits in `node` until it comes back there, which is the
// last link then. Empty when it does not, or when it comes to a deadlock of which somebody has
// told.
template <class Find>
Links follow(const Find& find, const ThreadNode& node, bool in_words) {
  Links links;
  const ThreadNode* earlier = nullptr;  // whoever comes by it again is in another cycle
  std::size_t next_earlier = 1;
  for (ThreadId next = holder_of(node.reason()); next != 0; next = links.back().holder) {
    ThreadRecord* const record = find(next);
    if (record == nullptr) break;
    const std::lock_guard lock(record->mutex);
    const ThreadNode* const its = record->sleeps_in;
    if (its == nullptr || !its->asleep() || !its->endless() || its->deadlock_known()) break;
    if (its == earlier) break;
    const WaitReason& reason = its->reason();
    links.push_back({record, its, its->since(), holder_of(reason), {}});
    if (in_words) {
      links.back().wait = describe(reason) + ' ' + held_by(words_of(reason.kind).type);
    }
    if (its == &node) return links;
    if (links.size() == next_earlier) {
      earlier = its;
      next_earlier *= 2;
    }
  }
  return {};
}

// Under the registry's mutex.
std::string name_of(const Link& link) { return quoted(link.sleeper->name, link.sleeper->id); }

// `"Bill" (3) waits to acquire Lock "gun" held by "Jack" (2), which waits to ... "Bill" (3)`
std::string describe(const Links& links) {
  std::string text = name_of(links.back()) + ' ' + links.back().wait;
  for (const Link& link : links) {
    text += name_of(link);
    if (&link != &links.back()) text += ", which " + link.wait;
  }
  return text;
}

// Whether the node's thread, which seems to hold the lock that it waits for, is just getting it.
bool gets_lock(const ThreadNode& node) noexcept {
  const WaitReason& reason = node.reason();
  return (reason.kind == WaitKind::lock || reason.kind == WaitKind::rlock) &&
         !static_cast<const LockCore*>(reason.object)->lists(node);
}

// The cycle that the node is in, in words; "" if there is none of which nobody has told.
std::string find_cycle(ThreadNode& node, ThreadRecord& record) {
  std::string text;
  ThreadRegistry::instance().look_up([&](const auto& find) {
    {
      const std::lock_guard lock(record.mutex);
      record.sleeps_in = &node;
    }
    const Links before = follow(find, node, false);
    if (before.empty()) return;
    const Links links = follow(find, node, true);
    if (!std::equal(before.begin(), before.end(), links.begin(), links.end(),
                    [](const Link& a, const Link& b) { return a.is_same_call(b); })) {
      return;
    }
    if (links.size() == 1 && gets_lock(node)) return;
    text = describe(links);
    const std::lock_guard lock(record.mutex);
    node.note_deadlock();
  });
  return text;
}

// What tells of a deadlock may come into another one, by the lock of a logging handler for
// instance, and would tell of that in the same way.
constinit thread_local bool telling = false;

void tell(const std::string& message) noexcept {
  if (std::exchange(telling, true)) {
    std::fprintf(stderr, "conc.deadlock: %s\n", message.c_str());
    return;
  }
  report({"conc.deadlock", Severity::error, message});
  telling = false;
}

}  // namespace

std::exception_ptr find_deadlock(ThreadNode& node, ThreadRecord& record, bool may_throw) noexcept {
  const OnDeadlock reaction = what_to_do();
  if (reaction == OnDeadlock::ignore) return nullptr;
  try {
    const std::string cycle = find_cycle(node, record);
    if (cycle.empty()) return nullptr;
    if (reaction == OnDeadlock::raise && may_throw) {
      return std::make_exception_ptr(DeadlockError(
          "conc: the call would wait for ever, since threads wait for each other: " + cycle + "."));
    }
    tell("Threads wait for each other: " + cycle);
  } catch (const std::bad_alloc&) {
    // The threads hang as they would have without anybody who looks.
  }
  return nullptr;
}

}  // namespace detail
}  // namespace conc

#include "started_threads.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "at_exit.hpp"
#include "fork.hpp"
#include "thread_state.hpp"

namespace conc::detail {

StartedThreads::StartedThreads() {
  guard_over_fork(mutex_, []() noexcept { instance().start_over(); });
}

namespace {
[[maybe_unused]] const bool at_load = (StartedThreads::instance(), true);
}  // namespace

std::optional<StartedThreads::Place> StartedThreads::add(State state) {
  // Now, for what is registered later is waited for, or destroyed, earlier.
  wait_at_exit(&StartedThreads::see_out_all);
  std::list<Entry> added;
  added.push_back({std::move(state), false});
  const Place place = added.begin();
  const std::lock_guard lock(mutex_);
  if (!place->state->leave_fresh()) return std::nullopt;
  place->daemon = place->state->daemon();
  entries_.splice(entries_.end(), added);
  return place;
}

void StartedThreads::take_back(Place place) noexcept {
  std::list<Entry> removed;
  WakeChain joiners;
  {
    const std::lock_guard lock(mutex_);
    joiners = place->state->return_to_fresh();
    removed.splice(removed.end(), entries_, place);
  }
  joiners.wake_all();
}

void StartedThreads::remove(Place place) noexcept {
  std::list<Entry> removed;
  const std::lock_guard lock(mutex_);
  removed.splice(removed.end(), entries_, place);
}

// What the exit waits for, each in turn. Whether there was any.
bool StartedThreads::see_out_all() noexcept {
  bool any = false;
  while (const State state = instance().next()) {
    state->see_out();
    any = true;
  }
  return any;
}

// The oldest one that the process may not end without and that is not the calling thread, or
// nullptr. Whoever called std::exit may be one of them, and does not wait for itself.
StartedThreads::State StartedThreads::next() noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(entries_.begin(), entries_.end(), [](const Entry& entry) {
    return !entry.daemon && !entry.state->is_current();
  });
  return found != entries_.end() ? found->state : nullptr;
}

// In the child of a fork. Those of the parent are kept, and not freed: an allocator that knows
// nothing of fork() may be locked for ever.
void StartedThreads::start_over() noexcept {
  for (auto at = entries_.begin(); at != entries_.end();) {
    const auto one = at++;
    if (!one->state->outlives_fork()) lost_.splice(lost_.end(), entries_, one);
  }
}

}  // namespace conc::detail

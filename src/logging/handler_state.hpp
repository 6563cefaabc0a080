// What a handler is made of, whatever its kind.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/inspect.hpp>
#include <conc/detail/machine.hpp>
#include <conc/lock.hpp>
#include <conc/logging/filter.hpp>
#include <conc/logging/formatter.hpp>
#include <conc/logging/handler.hpp>
#include <conc/until.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "active.hpp"
#include "complaint.hpp"
#include "fork.hpp"
#include "published.hpp"

namespace conc::logging {
namespace detail {

// What may change while others log: replaced as a whole.
struct Outfit {
  std::vector<std::shared_ptr<const Filter>> filters;
  std::shared_ptr<const Formatter> formatter;
  std::string terminator;
  bool operator==(const Outfit&) const = default;
};

inline std::string described(const Handler& handler) { return handler.description(); }

}  // namespace detail

struct Handler::State {
  explicit State(Wants what);

  // Takes the lock for what the handler does with its records, unless that needs none.
  std::unique_lock<Lock> enter(detail::Active& active) {
    if (wants == Wants::shared) return {};
    active.begin_locked();
    return std::unique_lock(lock);
  }

  // The same for flush() and close(): emit() may end the program, whose exit closes the handler.
  std::unique_lock<Lock> enter_again(detail::Active& active) {
    if (!conc::detail::Inspect::held_here(lock)) return enter(active);
    active.begin_locked();
    return {};
  }

  const Wants wants;
  const std::uint64_t serial;  // greater for a handler that was made later
  conc::detail::Atomic<std::uint64_t> lost{0};
  conc::detail::Atomic<bool> unsaid{false};  // records were lost after the last complaint
  detail::Published<detail::Outfit> outfit;
  Lock lock;
  detail::Complaint complaint;

 private:
  void fork(detail::ForkMoment moment, Until until) CONC_NO_THREAD_SAFETY_ANALYSIS;

  bool held_by_program_ = false;  // by the thread that forks
  bool held_by_fork_ = false;
  const detail::ForkEntry fork_entry_{this, [](void* self, detail::ForkMoment moment, Until until) {
                                        static_cast<State*>(self)->fork(moment, until);
                                      }};
};

}  // namespace conc::logging

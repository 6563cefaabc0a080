#include "shutdown.hpp"

#include <conc/detail/machine.hpp>
#include <conc/logging/handler.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "complaint.hpp"

namespace conc::logging {
namespace detail {
namespace {

// Never destroyed, since destructors of globals may still add handlers; the static pointer keeps it
// reachable.
class Roster {
 public:
  static Roster& instance() {
    static Roster* const roster = new Roster;
    return *roster;
  }

  void enter(std::uint64_t serial, const std::shared_ptr<Handler>& handler) {
    const std::lock_guard guard(mutex_);
    if (!std::exchange(hears_of_exit_, true)) std::atexit([] { shutdown(); });
    // Those that are gone are swept out when the number has doubled, so it costs little each time.
    if (handlers_.size() >= sweep_at_) {
      std::erase_if(handlers_, [](const auto& entry) { return entry.second.expired(); });
      sweep_at_ = std::max(min_sweep, 2 * handlers_.size());
    }
    handlers_.try_emplace(serial, handler);
  }

  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

  // The youngest first.
  std::vector<std::shared_ptr<Handler>> living() {
    std::vector<std::shared_ptr<Handler>> living;
    const std::lock_guard guard(mutex_);
    living.reserve(handlers_.size());
    for (auto entry = handlers_.rbegin(); entry != handlers_.rend(); ++entry) {
      if (auto handler = entry->second.lock()) living.push_back(std::move(handler));
    }
    return living;
  }

 private:
  static constexpr std::size_t min_sweep = 16;

  conc::detail::Mutex mutex_;
  std::map<std::uint64_t, std::weak_ptr<Handler>> handlers_;
  std::size_t sweep_at_ = min_sweep;
  bool hears_of_exit_ = false;
};

[[maybe_unused]] const bool at_load = (Roster::instance(), true);

}  // namespace

void close_at_shutdown(std::uint64_t serial, const std::shared_ptr<Handler>& handler) {
  Roster::instance().enter(serial, handler);
}

void complain_of_failure(const Handler& handler, std::string_view what) noexcept {
  const std::string why = describe_current_exception();
  try {
    complain({handler.description(), " could not be ", what, ": ", why});
  } catch (...) {
    complain({"a handler could not be ", what, ": ", why});
  }
}

void lock_roster() { Roster::instance().lock(); }
void unlock_roster() { Roster::instance().unlock(); }

}  // namespace detail

void shutdown() noexcept {
  try {
    for (const auto& handler : detail::Roster::instance().living()) {
      try {
        handler->close();
      } catch (...) {
        detail::complain_of_failure(*handler, "closed");
      }
    }
  } catch (...) {
    detail::complain({"shutdown: ", detail::describe_current_exception()});
  }
  detail::say_what_was_left_out();
}

}  // namespace conc::logging

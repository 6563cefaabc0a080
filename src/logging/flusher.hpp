// Flusher: sees to it that what handlers hold back is written soon.
#pragma once

#include <conc/detail/machine.hpp>

#include <atomic>
#include <chrono>

namespace conc::logging::detail {

// One thread goes to all handlers, as long as it is soon back from each of them; while it is not,
// others go to the rest. They are started when they are needed for the first time, and anew in the
// child of a fork; what the parent's handlers held back is the parent's to write.
class Flusher {
 public:
  // Something that holds text back.
  class Client {
   public:
    // Writes everything. Called by a thread of the flusher's, and at exit; never by two at once. It
    // may take long.
    virtual void flush_late() noexcept = 0;

   protected:
    ~Client() = default;

   private:
    friend class Flusher;
    // Whether flush_late() is going to be called. Who asks has its text there first and looks then;
    // the flusher takes this back first and has flush_late() look for text then. All four in one
    // total order: so who does not ask because it is set is not overlooked.
    conc::detail::Atomic<bool> asked_{false};
    // Guarded by the flusher's mutex.
    conc::detail::SteadyClock::time_point due_{};
    Client* next_ = nullptr;
    bool busy_ = false;  // a thread is in flush_late()
    Client* next_busy_ = nullptr;
  };

  // How long text may be held back. Less than the second that is promised, for the way there, and
  // for what others take that become stuck just before.
  static constexpr std::chrono::milliseconds patience{750};

  // Has flush_late() called in time. False when that is not possible, as after the program's exit,
  // or when there is no thread for it: the client writes now.
  // Cost: one load when it was asked before.
  [[nodiscard]] static bool ask(Client& client) noexcept {
    return client.asked_.load(std::memory_order_seq_cst) || enter(client);
  }

  // flush_late() is neither running nor called any more when it returns. Without the client's lock.
  static void leave(Client& client) noexcept;

  // For fork(): keep other threads out, let them in again, and what the child has to do before.
  static void lock_all();
  static void unlock_all();
  static void renew_after_fork() noexcept;

 private:
  class Service;
  static const bool at_load;
  static bool enter(Client& client) noexcept;
};

}  // namespace conc::logging::detail

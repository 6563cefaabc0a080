#include "flusher.hpp"

#include <conc/detail/no_signals.hpp>
#include <conc/detail/thread_record.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <utility>

namespace conc::logging::detail {
namespace {

// How long a thread may be in one client before another thread goes to those that are due. Long
// against a write to a disk, so that one thread writes for many handlers; short against what is
// left of the second that is promised.
constexpr std::chrono::milliseconds turn{20};

}  // namespace

// Never destroyed, since its threads run until the process ends; the static pointer keeps it
// reachable.
//
// What one of its threads does:
//
//   watches  sleeps until it is time to go to a client; one thread at most, see watched_
//   writes   is in a client's flush_late(), without the mutex; one thread at most for each client
//   spare    sleeps until it is called to watch; one thread at most, see spare_
//
//   from     to       when
//   -        watches  a client waits that no thread is in, nobody watches, and there is no spare
//   spare    watches  the same, and it is the spare
//   watches  writes   a client is due that no thread is in, and nobody began to write just now
//   writes   writes   the same
//   writes   watches  else, if nobody watches
//   writes   spare    else, if there is none
//   writes   -        else
//
// So there is one thread as long as there is one client; usually there are two; and one more for
// each client that is stuck, which nobody else goes to then though it may be due again.
class Flusher::Service {
 public:
  static Service& instance() {
    static Service* const service = new Service;
    return *service;
  }

  bool enter(Client& client) noexcept {
    const std::lock_guard guard(mutex_);
    if (client.asked_.load(std::memory_order_relaxed)) return true;
    if (ended_) return false;
    // The thread that is in the client looks again afterwards.
    if (!client.busy_ && !have_watched()) return false;
    client.due_ = conc::detail::SteadyClock::now() + patience;
    client.next_ = nullptr;
    (last_ != nullptr ? last_->next_ : first_) = &client;
    last_ = &client;
    client.asked_.store(true, std::memory_order_relaxed);
    // The time only grows, so who watches waits for the right client already if there is another.
    if (next() == &client) wake_watcher();
    return true;
  }

  void leave(Client& client) noexcept {
    std::unique_lock lock(mutex_);
    take_out(client);
    while (client.busy_) nap(lock);
  }

  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

  // With the mutex held. The threads, and what they waited with, are gone.
  void renew_after_fork() noexcept {
    for (Client* one = first_; one != nullptr; one = one->next_) {
      one->asked_.store(false, std::memory_order_relaxed);
    }
    for (Client* one = busy_; one != nullptr; one = one->next_busy_) one->busy_ = false;
    first_ = last_ = busy_ = nullptr;
    newest_ = nullptr;
    watched_ = false;
    watcher_ = spare_ = nullptr;
  }

 private:
  using Lock = std::unique_lock<conc::detail::Mutex>;
  using Time = conc::detail::SteadyClock::time_point;

  // ---- The list; with the mutex held

  // The first one that no thread is in; null when there is none.
  Client* next() const noexcept {
    Client* one = first_;
    while (one != nullptr && one->busy_) one = one->next_;
    return one;
  }

  void take_out(Client& client) noexcept {
    for (Client **link = &first_, *before = nullptr; *link != nullptr; link = &before->next_) {
      if (*link == &client) {
        *link = client.next_;
        if (last_ == &client) last_ = before;
        return;
      }
      before = *link;
    }
  }

  // When a thread may go to the client, which waits.
  Time may_go(const Client& client) const noexcept {
    return newest_ != nullptr ? std::max(client.due_, newest_since_ + turn) : client.due_;
  }

  // ---- Threads; with the mutex held

  // Sees to it that somebody watches. False when nobody does, and no thread can be started.
  bool have_watched() noexcept {
    if (watched_) return true;
    if (spare_ == nullptr) return start();
    std::exchange(spare_, nullptr)->notify_one();
    return watched_ = true;
  }

  bool start() noexcept {
    try {
      if (!std::exchange(hears_of_exit_, true)) std::atexit([] { instance().end(); });
      const conc::detail::NoSignals none;
      conc::detail::NativeThread([this] { run(); }).detach();
      return watched_ = true;
    } catch (...) {
      return false;
    }
  }

  void wake_watcher() noexcept {
    if (watcher_ != nullptr) watcher_->notify_one();
  }

  void run() noexcept {
    try {
      conc::detail::begin_this_thread("logging.flusher", true);
    } catch (...) {
      // It goes by another name then.
    }
    conc::detail::CondVar bed;  // where only this thread sleeps
    Lock lock(mutex_);
    do {
      Client* client = &watch(bed, lock);
      watched_ = false;
      do {
        write(*client, lock);
        client = next();
      } while (client != nullptr && may_go(*client) <= conc::detail::SteadyClock::now());
    } while (!watched_ || stand_by(bed, lock));
  }

  // Returns the client to go to.
  Client& watch(conc::detail::CondVar& bed, Lock& lock) noexcept {
    watched_ = true;
    for (;;) {
      Client* const client = next();
      const Time time = client != nullptr ? may_go(*client) : Time::max();
      if (client != nullptr && time <= conc::detail::SteadyClock::now()) return *client;
      // Who has that to say looks whether it is the one that the thread waits for.
      watcher_ = &bed;
      if (client == nullptr) {
        bed.wait(lock);
      } else {
        bed.wait_until(lock, time);
      }
      watcher_ = nullptr;
    }
  }

  // Returns when the thread is to watch; false when it is to end.
  bool stand_by(conc::detail::CondVar& bed, Lock& lock) noexcept {
    if (spare_ != nullptr) return false;
    spare_ = &bed;
    while (spare_ == &bed) bed.wait(lock);
    return true;
  }

  // The mutex is free meanwhile: the client's lock comes first, as everywhere.
  void write(Client& client, Lock& lock) noexcept {
    take_out(client);
    client.asked_.store(false, std::memory_order_seq_cst);
    client.busy_ = true;
    client.next_busy_ = std::exchange(busy_, &client);
    newest_ = &client;
    newest_since_ = conc::detail::SteadyClock::now();
    // When no thread can be started, the others wait for this one.
    if (next() != nullptr) static_cast<void>(have_watched());
    lock.unlock();
    client.flush_late();
    lock.lock();
    // It is not there in the child of a fork that a hook of the program's made in flush_late().
    Client** link = &busy_;
    while (*link != nullptr && *link != &client) link = &(*link)->next_busy_;
    if (*link != nullptr) *link = client.next_busy_;
    client.busy_ = false;
    if (newest_ == &client) newest_ = nullptr;
    // Who watches passed it over.
    if (client.asked_.load(std::memory_order_relaxed)) wake_watcher();
  }

  // ---- Without being one of the threads

  // Until a thread is back from a client. That is seldom needed and lasts as long as one write(),
  // so nobody is woken for it; but that may be long for a pipe.
  static void nap(Lock& lock) noexcept {
    conc::detail::CondVar bed;  // never notified
    bed.wait_until(lock, conc::detail::SteadyClock::now() + std::chrono::milliseconds(1));
  }

  // At the program's exit: what is logged afterwards is written at once. The threads go on, so that
  // this one may become stuck as well.
  void end() noexcept {
    Lock lock(mutex_);
    ended_ = true;
    while (first_ != nullptr || busy_ != nullptr) {
      if (Client* const client = next()) {
        write(*client, lock);
      } else {
        nap(lock);
      }
    }
  }

  conc::detail::Mutex mutex_;
  // Guarded by mutex_.
  Client* first_ = nullptr;  // those that were asked, in the order of their times
  Client* last_ = nullptr;
  Client* busy_ = nullptr;  // those that a thread is in
  // The one that a thread went to last, and when; null when it is back.
  const Client* newest_ = nullptr;
  Time newest_since_{};
  bool watched_ = false;                      // a thread watches, or was started or called to
  conc::detail::CondVar* watcher_ = nullptr;  // its bed, while it sleeps
  conc::detail::CondVar* spare_ = nullptr;    // the bed of the one that may be called
  bool hears_of_exit_ = false;
  bool ended_ = false;
};

const bool Flusher::at_load = (Service::instance(), true);

bool Flusher::enter(Client& client) noexcept { return Service::instance().enter(client); }
void Flusher::leave(Client& client) noexcept { Service::instance().leave(client); }
void Flusher::lock_all() { Service::instance().lock(); }
void Flusher::unlock_all() { Service::instance().unlock(); }
void Flusher::renew_after_fork() noexcept { Service::instance().renew_after_fork(); }

}  // namespace conc::logging::detail

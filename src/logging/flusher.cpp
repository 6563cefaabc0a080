#include "flusher.hpp"

#include <conc/detail/no_signals.hpp>
#include <conc/detail/thread_record.hpp>

#include <chrono>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

namespace conc::logging::detail {
// Never destroyed, since the thread runs until the process ends; the static pointer keeps it
// reachable.
class Flusher::Service {
 public:
  static Service& instance() {
    static Service* const service = new Service;
    return *service;
  }

  bool enter(Client& client) noexcept {
    const std::lock_guard guard(mutex_);
    if (client.asked_.load(std::memory_order_relaxed)) return true;
    if (ended_ || !start()) return false;
    client.due_ = conc::detail::SteadyClock::now() + patience;
    client.next_ = nullptr;
    (last_ != nullptr ? last_->next_ : first_) = &client;
    last_ = &client;
    client.asked_.store(true, std::memory_order_relaxed);
    // The time only grows, so the thread waits for the right client already if there is another.
    if (first_ == &client) bed_.notify_one();
    return true;
  }

  void leave(Client& client) noexcept {
    std::unique_lock lock(mutex_);
    for (Client **link = &first_, *before = nullptr; *link != nullptr; link = &before->next_) {
      if (*link == &client) {
        *link = client.next_;
        if (last_ == &client) last_ = before;
        break;
      }
      before = *link;
    }
    await(&client, lock);
  }

  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

  // With the mutex held. The thread, and what it waited with, are gone.
  void renew_after_fork() noexcept {
    ::new (static_cast<void*>(&bed_)) conc::detail::CondVar;
    for (Client* one = first_; one != nullptr; one = one->next_) {
      one->asked_.store(false, std::memory_order_relaxed);
    }
    first_ = last_ = nullptr;
    busy_with_ = nullptr;
    running_ = false;
  }

 private:
  // With the mutex held.
  bool start() noexcept {
    if (running_) return true;
    try {
      if (!std::exchange(hears_of_exit_, true)) std::atexit([] { instance().end(); });
      const conc::detail::NoSignals none;
      conc::detail::NativeThread([this] { run(); }).detach();
      return running_ = true;
    } catch (...) {
      return false;
    }
  }

  void run() noexcept {
    try {
      conc::detail::begin_this_thread("logging.flusher", true);
    } catch (...) {
      // It goes by another name then.
    }
    for (std::unique_lock lock(mutex_);;) {
      if (first_ == nullptr || ended_) {
        bed_.wait(lock);
      } else if (conc::detail::SteadyClock::now() < first_->due_) {
        // A copy: the client may go while the thread sleeps, and the time is looked at afterwards.
        const auto due = first_->due_;
        bed_.wait_until(lock, due);
      } else {
        flush_first(lock);
      }
    }
  }

  // The mutex is free meanwhile: the client's lock comes first, as everywhere.
  void flush_first(std::unique_lock<conc::detail::Mutex>& lock) noexcept {
    Client& client = *first_;
    first_ = client.next_;
    if (first_ == nullptr) last_ = nullptr;
    client.asked_.store(false, std::memory_order_seq_cst);
    busy_with_ = &client;
    lock.unlock();
    client.flush_late();
    lock.lock();
    busy_with_ = nullptr;
  }

  // Until the thread is not in that client, or in none if it is null. That is seldom needed and
  // lasts as long as one write(), so nobody is woken for it; but that may be long for a pipe.
  void await(const Client* client, std::unique_lock<conc::detail::Mutex>& lock) noexcept {
    conc::detail::CondVar nap;  // never notified
    while (busy_with_ != nullptr && (client == nullptr || busy_with_ == client)) {
      nap.wait_until(lock, conc::detail::SteadyClock::now() + std::chrono::milliseconds(1));
    }
  }

  // At the program's exit: what is logged afterwards is written at once.
  void end() noexcept {
    std::unique_lock lock(mutex_);
    ended_ = true;
    for (;;) {
      await(nullptr, lock);
      if (first_ == nullptr) return;
      flush_first(lock);
    }
  }

  conc::detail::Mutex mutex_;
  conc::detail::CondVar bed_;  // of the one thread
  // Guarded by mutex_.
  Client* first_ = nullptr;  // in the order of their times
  Client* last_ = nullptr;
  const Client* busy_with_ = nullptr;  // in its flush_late()
  bool running_ = false;
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

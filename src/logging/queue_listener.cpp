#include <conc/detail/machine.hpp>
#include <conc/errors.hpp>
#include <conc/event.hpp>
#include <conc/logging/queue_listener.hpp>
#include <conc/thread.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "complaint.hpp"
#include "listening.hpp"
#include "queue_over_fork.hpp"

namespace conc::logging {

// What the thread works with. The thread keeps it alive, since it may outlive the QueueListener
// when the process ends.
class QueueListener::Drain {
 public:
  Drain(std::shared_ptr<RecordQueue> queue, std::vector<std::shared_ptr<Handler>> handlers,
        QueueListenerOptions options)
      : queue_(std::move(queue)), handlers_(std::move(handlers)), options_(options) {
    if (queue_ == nullptr) {
      throw std::invalid_argument("conc::logging::QueueListener: the queue must not be null.");
    }
    if (std::find(handlers_.begin(), handlers_.end(), nullptr) != handlers_.end()) {
      throw std::invalid_argument("conc::logging::QueueListener: a handler must not be null.");
    }
    over_fork_.emplace(*queue_);
  }

  // In the listener's thread, when it was let go there: stop() has not been here.
  ~Drain() {
    if (thread_) flush_all();
  }

  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;

  static void start(const std::shared_ptr<Drain>& self) {
    // Its own thread must not wait for one that stops it, and so waits for it.
    std::unique_lock guard(self->mutex_, std::defer_lock);
    if (of_this_thread != self.get()) guard.lock();
    if (!guard || self->thread_) {
      throw UsageError(
          "conc::logging::QueueListener was started twice; stop it before it is started again.");
    }
    self->listening_.emplace(self->queue_.get(), self.get(),
                             [](const void* drain, const LogRecord& record) {
                               static_cast<const Drain*>(drain)->hand_on(record);
                             });
    try {
      self->thread_.emplace(ThreadOptions{.name = "logging.QueueListener", .daemon = true},
                            [self](const std::stop_token& token) { self->run(token); });
      self->thread_->start();
    } catch (...) {
      self->thread_.reset();
      self->listening_.reset();
      throw;
    }
    self->running_.store(true, std::memory_order_relaxed);
  }

  void stop() {
    if (of_this_thread == this) {
      throw UsageError(
          "conc::logging::QueueListener was stopped by a handler of its own; stop it from another "
          "thread.");
    }
    std::unique_lock guard(mutex_, std::defer_lock);
    if (!detail::Listening::orphan(this)) {
      guard.lock();
    } else if (!guard.try_lock()) {
      return;  // in the child of a fork, whose parent just started or stopped it
    }
    if (!thread_) return;
    thread_->request_stop();
    thread_->join();
    thread_.reset();
    listening_.reset();
    running_.store(false, std::memory_order_relaxed);
    flush_all();
  }

  // For the destructor of the QueueListener. Nobody else is in here by then, so there is no lock:
  // in the child of a fork it might be held by a thread that is gone.
  void let_go() {
    if (of_this_thread != this) return stop();
    if (thread_) thread_->request_stop();
  }

  [[nodiscard]] bool running() const noexcept { return running_.load(std::memory_order_relaxed); }

  [[nodiscard]] const std::vector<std::shared_ptr<Handler>>& handlers() const noexcept {
    return handlers_;
  }

 private:
  void run(const std::stop_token& token) {
    detail::Listening::set_here(queue_.get());
    of_this_thread = this;
    while (!token.stop_requested() &&
           (handle_some(at_once) || handle_after_nap(token) || handle_some(token))) {
    }
    // What was there when it was stopped; what comes later is left to the next listener, or nobody
    // could stop it while others log.
    for (std::size_t left = queue_->size(); left != 0 && handle_one(at_once); --left) {
    }
  }

  // Looks for records by itself for some milliseconds before it leaves it to those who log to wake
  // it, which takes them several times as long as to log. Meanwhile records gather, so they seldom
  // meet it at the queue: QueuedBurst takes three quarters of the time. Not with a bounded queue,
  // which might get full. False when there was none.
  bool handle_after_nap(const std::stop_token& token) {
    if (queue_->maxsize() != 0) return false;
    for (auto nap = shortest_nap; nap <= longest_nap; nap *= 2) {
      static_cast<void>(gathered_.wait(Until(nap, token)));
      if (handle_some(at_once)) return true;
    }
    return false;
  }

  // False when there was none in time.
  bool handle_some(Until until) {
    std::vector<OwnedRecord> records;
    try {
      // Several, so that those who log seldom meet this thread at the queue.
      constexpr std::size_t most = 64;
      records = queue_->try_get_many(most, until);
    } catch (const std::bad_alloc&) {
      return handle_one(until);
    }
    for (const OwnedRecord& one : records) hand_on(one.record());
    queue_->task_done(records.size());
    return !records.empty();
  }

  bool handle_one(Until until) {
    const std::optional<OwnedRecord> one = queue_->try_get(until);
    if (!one) return false;
    hand_on(one->record());
    queue_->task_done();
    return true;
  }

  void hand_on(const LogRecord& record) const {
    for (const auto& handler : handlers_) {
      if (!options_.respect_handler_level || record.level >= handler->level()) {
        handler->handle(record);
      }
    }
  }

  void flush_all() const noexcept {
    for (const auto& handler : handlers_) flush(*handler);
  }

  static void flush(Handler& handler) noexcept {
    try {
      handler.flush();
    } catch (...) {
      const std::string why = detail::describe_current_exception();
      detail::complain({"QueueListener: a handler could not be flushed: ", why});
    }
  }

  static constexpr std::chrono::microseconds shortest_nap{100};
  static constexpr std::chrono::microseconds longest_nap{1600};

  static constinit thread_local const Drain* of_this_thread;

  const std::shared_ptr<RecordQueue> queue_;
  std::optional<detail::QueueOverFork> over_fork_;
  const std::vector<std::shared_ptr<Handler>> handlers_;
  const QueueListenerOptions options_;
  // What it waits for when it naps; never set.
  Event gathered_{"logging.QueueListener: records to gather"};
  conc::detail::Mutex mutex_;  // held while it is started or stopped
  // Guarded by mutex_; there while it is started.
  std::optional<detail::Listening> listening_;
  std::optional<Thread> thread_;
  conc::detail::Atomic<bool> running_{false};  // whether they are there
};

constinit thread_local const QueueListener::Drain* QueueListener::Drain::of_this_thread = nullptr;

QueueListener::QueueListener(std::shared_ptr<RecordQueue> queue,
                             std::vector<std::shared_ptr<Handler>> handlers,
                             QueueListenerOptions options)
    : drain_(std::make_shared<Drain>(std::move(queue), std::move(handlers), options)) {
  for (const auto& handler : drain_->handlers()) Handler::enlist(handler);
}

QueueListener::~QueueListener() { drain_->let_go(); }

void QueueListener::start() { Drain::start(drain_); }

void QueueListener::stop() { drain_->stop(); }

bool QueueListener::running() const { return drain_->running(); }

}  // namespace conc::logging

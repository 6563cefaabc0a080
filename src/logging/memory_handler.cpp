#include <conc/condition.hpp>
#include <conc/detail/machine.hpp>
#include <conc/lock.hpp>
#include <conc/logging/memory_handler.hpp>

#include <atomic>
#include <deque>
#include <mutex>
#include <new>
#include <stdexcept>
#include <utility>

#include "active.hpp"
#include "fork.hpp"

namespace conc::logging {

// One thread at a time hands records on, with no lock held: what the target does, and what it logs,
// is then nobody's deadlock. A thread that is inside of another handler as well waits for nobody
// here, since that handler could be what the other thread waits for; its records are kept beyond
// the capacity rather than lost.
class MemoryHandler::Store {
 public:
  Store(const Handler* owner, std::size_t capacity, MemoryOptions options)
      : owner_(owner), capacity_(capacity), options_(options) {
    if (capacity == 0) {
      throw std::invalid_argument(
          "conc::logging::MemoryHandler: the capacity must be at least one record.");
    }
  }

  void set_target(std::shared_ptr<Handler> target) {
    const Hold hold(lock_);
    target_.swap(target);  // the old one is let go without the lock
  }

  [[nodiscard]] std::shared_ptr<Handler> target() const {
    const Hold hold(lock_);
    return target_;
  }

  [[nodiscard]] std::size_t size() const {
    const Hold hold(lock_);
    return records_.size();
  }

  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] std::uint64_t dropped() const noexcept {
    return dropped_.load(std::memory_order_relaxed);
  }

  void add(const LogRecord& record) {
    OwnedRecord kept = record.own();
    const bool may_wait = !detail::Active::nested();
    Hold hold(lock_);
    while (may_wait && busy_ && records_.size() >= capacity_) idle_.wait();
    records_.push_back(std::move(kept));
    if (target_ == nullptr) {
      if (records_.size() <= capacity_) return;
      records_.pop_front();
      dropped_.fetch_add(1, std::memory_order_relaxed);
    } else if (closed_ || record.level >= options_.flush_level || records_.size() >= capacity_) {
      hand_on(hold, may_wait);
    }
  }

  // Hands on what is kept. Returns the target, to be flushed as well.
  std::shared_ptr<Handler> hand_on_all() {
    Hold hold(lock_);
    hand_on(hold, !detail::Active::nested());
    return target_;
  }

  void close() {
    std::deque<OwnedRecord> unwanted;
    const Hold hold(lock_);
    closed_ = true;
    if (!options_.flush_on_close) unwanted.swap(records_);
  }

  [[nodiscard]] bool flushes_on_close() const noexcept { return options_.flush_on_close; }

 private:
  using Hold = std::unique_lock<Lock>;

  // With the lock held, which is given up in between. When it returns, all that was kept before is
  // handed on; or, if the thread may not wait, the thread that is just handing on will do that.
  void hand_on(Hold& hold, bool may_wait) {
    while (busy_) {
      if (!may_wait) {
        again_ = true;
        return;
      }
      idle_.wait();
    }
    std::deque<OwnedRecord> batch;  // takes memory, so it comes before anything is changed
    busy_ = true;
    do {
      again_ = false;
      const std::shared_ptr<Handler> target = target_;
      if (target == nullptr) break;
      batch.swap(records_);
      hold.unlock();
      for (const OwnedRecord& one : batch) target->handle(one.record());
      batch.clear();
      hold.lock();
    } while (again_);
    busy_ = false;
    idle_.notify_all();
  }

  void fork(detail::ForkMoment moment, Until until) CONC_NO_THREAD_SAFETY_ANALYSIS {
    switch (moment) {
      case detail::ForkMoment::before:
        held_by_fork_ = lock_.acquire(until);
        return;
      case detail::ForkMoment::in_parent:
        if (held_by_fork_) lock_.release();
        return;
      case detail::ForkMoment::in_child:
        // Those who waited are gone, and so is who handed on, unless it is the thread that forked:
        // it is inside of the handler then. What was kept is the parent's to hand on.
        ::new (static_cast<void*>(&lock_)) Lock(lock_name);
        ::new (static_cast<void*>(&idle_)) Condition(lock_, idle_name);
        busy_ = busy_ && detail::Active::contains(owner_);
        records_.clear();
        return;
    }
  }

  static constexpr const char* lock_name = "logging.MemoryHandler";
  static constexpr const char* idle_name = "logging.MemoryHandler idle";

  const Handler* const owner_;
  const std::size_t capacity_;
  const MemoryOptions options_;
  mutable Lock lock_{lock_name};
  Condition idle_{lock_, idle_name};
  // Guarded by lock_.
  std::deque<OwnedRecord> records_;
  std::shared_ptr<Handler> target_;
  bool busy_ = false;   // a thread hands records on
  bool again_ = false;  // and has to do so once more
  bool closed_ = false;
  conc::detail::Atomic<std::uint64_t> dropped_{0};
  bool held_by_fork_ = false;
  const detail::ForkEntry fork_entry_{this, [](void* self, detail::ForkMoment moment, Until until) {
                                        static_cast<Store*>(self)->fork(moment, until);
                                      }};
};

MemoryHandler::MemoryHandler(std::size_t capacity, std::shared_ptr<Handler> target,
                             MemoryOptions options)
    : Handler(Wants::shared), store_(std::make_unique<Store>(this, capacity, options)) {
  set_target(std::move(target));
}

MemoryHandler::~MemoryHandler() {
  if (flushes_on_close() && target() != nullptr) {
    if (const std::size_t left = size()) count_lost(left);
  }
  say_losses();
}

void MemoryHandler::set_target(std::shared_ptr<Handler> target) {
  if (target.get() == this) {
    throw std::invalid_argument(
        "conc::logging::MemoryHandler: a handler must not be its own target.");
  }
  if (target != nullptr) enlist(target);
  store_->set_target(std::move(target));
}

std::shared_ptr<Handler> MemoryHandler::target() const { return store_->target(); }

std::size_t MemoryHandler::size() const { return store_->size(); }

std::size_t MemoryHandler::capacity() const noexcept { return store_->capacity(); }

std::uint64_t MemoryHandler::dropped() const noexcept { return store_->dropped(); }

void MemoryHandler::emit(const LogRecord& record, std::string_view) { store_->add(record); }

void MemoryHandler::on_flush() {
  if (const auto target = store_->hand_on_all()) target->flush();
}

bool MemoryHandler::flushes_on_close() const noexcept { return store_->flushes_on_close(); }

void MemoryHandler::on_close() { store_->close(); }

}  // namespace conc::logging

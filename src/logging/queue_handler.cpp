#include <conc/errors.hpp>
#include <conc/logging/log_call.hpp>
#include <conc/logging/queue_handler.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <typeinfo>
#include <utility>

#include "draft.hpp"
#include "listening.hpp"
#include "queue_over_fork.hpp"

namespace conc::logging {

constinit conc::detail::Atomic<int> detail::queue_handlers{0};

namespace {

using detail::Listening;

// A handler behind the queue that is stuck does not keep the program from ending.
constexpr std::chrono::seconds patience_of_flush{10};
constexpr std::chrono::seconds patience_when_closed{1};

}  // namespace

QueueHandler::QueueHandler(std::shared_ptr<RecordQueue> queue, Overflow overflow)
    : Handler(Wants::shared), queue_(std::move(queue)), overflow_(overflow) {
  if (queue_ == nullptr) {
    throw std::invalid_argument("conc::logging::QueueHandler: the queue must not be null.");
  }
  over_fork_ = std::make_unique<detail::QueueOverFork>(*queue_);
  detail::queue_handlers.fetch_add(1, std::memory_order_relaxed);
}

QueueHandler::~QueueHandler() { detail::queue_handlers.fetch_sub(1, std::memory_order_relaxed); }

bool QueueHandler::flush(Until until) {
  return !Listening::here(queue_.get()) && queue_->join(until);
}

std::uint64_t QueueHandler::dropped() const noexcept {
  return dropped_.load(std::memory_order_relaxed);
}

std::string QueueHandler::description() const {
  const char* const name = queue_->name();
  return name != nullptr ? "QueueHandler \"" + std::string(name) + "\"" : "QueueHandler";
}

void QueueHandler::drop() noexcept { dropped_.fetch_add(1, std::memory_order_relaxed); }

void QueueHandler::put_over_oldest(OwnedRecord&& record) {
  while (!queue_->try_put(std::move(record))) {
    if (queue_->full()) {
      if (const std::optional<OwnedRecord> oldest = queue_->try_get()) {
        drop();
        queue_->task_done();
      }
      continue;
    }
    // Somebody made room meanwhile, or the queue is shut down: this tells.
    try {
      return queue_->put(std::move(record), at_once);
    } catch (const Full&) {
      continue;
    }
  }
}

void QueueHandler::emit(const LogRecord& record, std::string_view) {
  if (Listening::orphaned(queue_.get())) return Listening::handle_orphaned(queue_.get(), record);
  put(OwnedRecord(record));
}

// A derived class may have an emit() of its own, for finished records.
bool QueueHandler::try_keep(const detail::Draft& draft) {
  if (Listening::orphaned(queue_.get()) || typeid(*this) != typeid(QueueHandler)) return false;
  put(OwnedRecord(draft.record(), draft.values()));
  return true;
}

void QueueHandler::put(OwnedRecord&& kept) {
  const bool closed = closed_.load(std::memory_order_relaxed);
  if (overflow_ == Overflow::drop_oldest) {
    put_over_oldest(std::move(kept));
  } else if (overflow_ == Overflow::drop_newest || closed || Listening::here()) {
    if (!queue_->try_put(std::move(kept))) return drop();
  } else {
    queue_->put(std::move(kept));
  }
  if (closed && Listening::anywhere(queue_.get())) static_cast<void>(flush(patience_when_closed));
}

void QueueHandler::on_flush() {
  if (Listening::anywhere(queue_.get())) static_cast<void>(flush(patience_of_flush));
}

void QueueHandler::on_close() { closed_.store(true, std::memory_order_relaxed); }

}  // namespace conc::logging

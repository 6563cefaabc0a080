#include <conc/errors.hpp>
#include <conc/future.hpp>
#include <conc/promise.hpp>

#include <exception>
#include <stdexcept>
#include <string>

#include "detail/message.hpp"

namespace conc::detail {

void throw_no_state() {
  throw UsageError(
      message("Future", nullptr,
              "is a handle to nothing, default-constructed or moved from; ask valid() first"));
}

void throw_gave_up(Until until) {
  if (until.stop_requested()) {
    throw Stopped(message("Future", nullptr, "was not done when the stop was requested"));
  }
  throw TimeoutError(message("Future", nullptr, "was not done when the time was up"));
}

void throw_cancelled() {
  throw CancelledError(message("Future", nullptr, "was cancelled and has no result"));
}

void throw_taken() {
  throw UsageError(message("Future", nullptr,
                           "has lost its value to an earlier take(); the value can be taken once"));
}

void throw_already_done(const char* call) {
  throw InvalidStateError(
      message("Promise", nullptr,
              std::string("got ") + call +
                  "() for a future that is done or cancelled; it can be completed once"));
}

void throw_already_running() {
  throw InvalidStateError(
      message("Promise", nullptr,
              "got set_running_or_notify_cancel() for a future that is running; "
              "it can begin once"));
}

void throw_moved_promise() {
  throw UsageError(message("Promise", nullptr, "was used after it was moved from"));
}

void throw_null_exception() {
  throw std::invalid_argument(
      message("Promise", nullptr, "got set_exception() without an exception"));
}

void break_promise(FutureStateBase& state) noexcept {
  if (state.claim() > FutureStateBase::running) return;  // cancelled
  try {
    throw BrokenPromise(message("Promise", nullptr, "was destroyed before it had set a result"));
  } catch (...) {  // or std::bad_alloc, which tells the waiters as much
    state.store_exception(std::current_exception());
  }
  state.complete(FutureStateBase::error);
}

}  // namespace conc::detail

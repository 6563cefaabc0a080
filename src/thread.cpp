#include <conc/errors.hpp>
#include <conc/thread.hpp>

#include <memory>
#include <utility>

#include "detail/thread_state.hpp"

namespace conc {

std::shared_ptr<detail::ThreadState> Thread::make_state(ThreadOptions options,
                                                        std::unique_ptr<detail::ThreadBody> body) {
  return std::make_shared<detail::ThreadState>(std::move(options), std::move(body));
}

Thread::~Thread() { finish(); }

Thread& Thread::operator=(Thread&& other) noexcept {
  if (this != &other) {
    finish();
    state_ = std::move(other.state_);
  }
  return *this;
}

void Thread::finish() noexcept {
  if (state_ != nullptr) state_->let_go();
}

detail::ThreadState& Thread::state() const {
  if (state_ == nullptr) {
    throw UsageError(
        "conc::Thread was used after it was moved from; use the thread it was moved to.");
  }
  return *state_;
}

void Thread::start() {
  static_cast<void>(state());
  detail::ThreadState::start(state_);
}

bool Thread::join(Until until) { return state().join(until); }
bool Thread::is_alive() const { return state().is_alive(); }
std::string Thread::name() const { return state().name(); }
void Thread::set_name(std::string name) { state().set_name(std::move(name)); }
bool Thread::daemon() const { return state().daemon(); }
void Thread::set_daemon(bool daemon) { state().set_daemon(daemon); }
std::optional<std::uint64_t> Thread::ident() const { return state().ident(); }
std::optional<std::int64_t> Thread::native_id() const { return state().native_id(); }
bool Thread::request_stop() { return state().stop_source().request_stop(); }
std::stop_token Thread::stop_token() const { return state().stop_source().get_token(); }

}  // namespace conc

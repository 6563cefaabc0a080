#include <conc/detail/machine.hpp>
#include <conc/logging/json_formatter.hpp>
#include <conc/logging/socket_handler.hpp>
#include <conc/until.hpp>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <deque>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <sys/socket.h>

#include "complaint.hpp"
#include "fork.hpp"
#include "null_character.hpp"
#include "sockets.hpp"

namespace conc::logging {

// The connection and what waits for it. Under the handler's lock, but for dropped().
class SocketHandler::Link {
  using Clock = conc::detail::SteadyClock;
  using milliseconds = std::chrono::milliseconds;

 public:
  Link(std::string host, std::uint16_t port, const SocketOptions& options)
      : host_(std::move(host)), port_(port), options_(options), pause_(options.first_retry) {
    detail::refuse_null_character(host_, "conc::logging::SocketHandler: the host");
    if (port == 0) {
      throw std::invalid_argument("conc::logging::SocketHandler: the port must not be 0.");
    }
    if (options.timeout < milliseconds(0) || options.first_retry < milliseconds(0) ||
        options.last_retry < options.first_retry) {
      throw std::invalid_argument(
          "conc::logging::SocketHandler: times must not be negative, nor the first retry after the "
          "last.");
    }
  }

  [[nodiscard]] std::string where() const { return host_ + ":" + std::to_string(port_); }

  [[nodiscard]] std::uint64_t dropped() const noexcept {
    return dropped_.load(std::memory_order_relaxed);
  }

  [[nodiscard]] std::size_t size() const noexcept { return lines_.size(); }

  void add(std::string_view line) {
    lines_.emplace_back(line);
    bytes_ += line.size();
  }

  // Drops the oldest lines beyond the room, but never what was sent in part: the other side would
  // see two lines in one. That one needs no room. The newest goes alone if it has no room anyway.
  void trim() {
    const std::size_t on_its_way = sent_ != 0 ? 1 : 0;
    const std::size_t kept = on_its_way != 0 ? lines_.front().size() : 0;
    if (lines_.size() > on_its_way && lines_.back().size() > options_.max_bytes) {
      drop(lines_.size() - 1);
    }
    while (bytes_ - kept > options_.max_bytes) drop(on_its_way);
  }

  // Sends what can be sent without waiting for anything but a new connection.
  // Throws when there is none.
  void send_now() {
    if (lines_.empty()) return;
    if (socket_ && socket_.closed_by_peer()) lose_connection();
    // A connection that breaks while it is used is made again at once, but only one time.
    for (int tries = 0; tries != 2; ++tries) {
      if (!socket_ && !connect_if_due()) return;
      if (send_until_full()) return;
    }
  }

  void send_all() {
    const Clock::time_point deadline = Until(options_.timeout).deadline();
    retry_at_ = {};
    for (;;) {
      send_now();
      if (lines_.empty()) return;
      if (!socket_) fail(broken_by_);
      // Asked for even if there is no need to wait: connections may be made and break for ever.
      if (Clock::now() >= deadline || !socket_.wait_writable(deadline)) fail(ETIMEDOUT);
    }
  }

  void close() noexcept { lose_connection(); }

 private:
  [[noreturn]] void fail(int error) const {
    throw std::system_error(error, std::generic_category(),
                            "conc::logging::SocketHandler: cannot send all to " + where());
  }

  void drop(std::size_t index) {
    const auto line = lines_.begin() + static_cast<std::ptrdiff_t>(index);
    bytes_ -= line->size();
    lines_.erase(line);
    dropped_.fetch_add(1, std::memory_order_relaxed);
  }

  // The connection and what waits for it are the parent's; the child makes a connection of its own.
  void fork(detail::ForkMoment moment) noexcept {
    if (moment != detail::ForkMoment::in_child) return;
    lose_connection();
    lines_.clear();
    bytes_ = 0;
  }

  // False when it is not time yet.
  bool connect_if_due() {
    if (Clock::now() < retry_at_) return false;
    try {
      socket_ = detail::Socket::tcp(host_, port_, Until(options_.timeout).deadline());
    } catch (...) {
      retry_at_ = Until(pause_).deadline();
      pause_ = pause_ <= options_.last_retry / 2 ? 2 * pause_ : options_.last_retry;
      throw;
    }
    pause_ = options_.first_retry;
    return true;
  }

  // False when the connection broke.
  bool send_until_full() {
    while (!lines_.empty()) {
      const std::string& line = lines_.front();
      const ::ssize_t count = ::send(socket_.fd(), line.data() + sent_, line.size() - sent_,
                                     MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count < 0) {
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
        broken_by_ = errno;
        lose_connection();
        return false;
      }
      sent_ += static_cast<std::size_t>(count);
      if (sent_ != line.size()) continue;
      bytes_ -= line.size();
      lines_.pop_front();
      sent_ = 0;
    }
    return true;
  }

  void lose_connection() noexcept {
    socket_.close();
    sent_ = 0;
  }

  const std::string host_;
  const std::uint16_t port_;
  const SocketOptions options_;
  detail::Socket socket_;
  std::deque<std::string> lines_;
  std::size_t bytes_ = 0;         // of all lines
  std::size_t sent_ = 0;          // of the first
  int broken_by_ = 0;             // what the last connection that broke failed with
  Clock::time_point retry_at_{};  // no connection is tried before
  milliseconds pause_;            // after the next one that fails
  conc::detail::Atomic<std::uint64_t> dropped_{0};
  const detail::ForkEntry fork_entry_{this, [](void* self, detail::ForkMoment moment, Until) {
                                        static_cast<Link*>(self)->fork(moment);
                                      }};
};

SocketHandler::SocketHandler(std::string host, std::uint16_t port, const SocketOptions& options)
    : Handler(Wants::line, "\n"), link_(std::make_unique<Link>(std::move(host), port, options)) {
  set_formatter(std::make_shared<const JsonFormatter>());
}

SocketHandler::~SocketHandler() {
  if (const std::size_t left = link_->size()) count_lost(left);
  say_losses();
}

std::uint64_t SocketHandler::dropped() const noexcept { return link_->dropped(); }

std::string SocketHandler::description() const { return "SocketHandler " + link_->where(); }

void SocketHandler::emit(const LogRecord&, std::string_view line) {
  link_->add(line);
  try {
    link_->send_now();
  } catch (...) {
    complain("records wait for a connection: " + detail::describe_current_exception());
  }
  link_->trim();
}

void SocketHandler::on_flush() { link_->send_all(); }

void SocketHandler::on_close() { link_->close(); }

}  // namespace conc::logging

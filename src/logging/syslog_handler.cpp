#include <conc/detail/machine.hpp>
#include <conc/logging/syslog_handler.hpp>

#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <sys/socket.h>

#include "null_character.hpp"
#include "sockets.hpp"

namespace conc::logging {
namespace {

using Clock = conc::detail::SteadyClock;

// How long a record may wait for a daemon that does not keep up.
constexpr std::chrono::seconds patience{1};

std::uint16_t checked(std::uint16_t port) {
  if (port == 0) {
    throw std::invalid_argument("conc::logging::SysLogHandler: the port of a host must not be 0.");
  }
  return port;
}

int severity_of(Level level) {
  if (level >= Level::critical) return 2;
  if (level >= Level::error) return 3;
  if (level >= Level::warning) return 4;
  return level >= Level::info ? 6 : 7;
}

}  // namespace

// The way to the daemon.
class SysLogHandler::Line {
 public:
  Line(std::string host_or_path, std::uint16_t port, SysLogOptions options)
      : host_or_path_(std::move(host_or_path)), port_(port), options_(std::move(options)) {
    detail::refuse_null_character(host_or_path_, "conc::logging::SysLogHandler: the address");
    open();
  }

  [[nodiscard]] std::string where() const {
    return port_ == 0 ? host_or_path_ : host_or_path_ + ":" + std::to_string(port_);
  }

  void send(Level level, std::string_view line) {
    const int priority = static_cast<int>(options_.facility) * 8 + severity_of(level);
    text_ = '<' + std::to_string(priority) + '>';
    text_ += options_.ident;
    text_ += line;
    if (options_.append_nul) text_ += '\0';
    int error = socket_ ? send_once() : ENOTCONN;
    if (error != 0 && error != EAGAIN) {
      open();  // the daemon may have been started again
      error = send_once();
    }
    if (error != 0) throw std::system_error(error, std::generic_category(), "cannot send");
  }

  void close() noexcept { socket_.close(); }

 private:
  void open() {
    socket_ = port_ == 0 ? detail::Socket::unix_datagram(host_or_path_)
                         : detail::Socket::udp(host_or_path_, port_);
  }

  // 0 when it is sent, or why it is not; EAGAIN when the time is up.
  int send_once() {
    Clock::time_point deadline{};  // set when there is something to wait for
    for (;;) {
      if (::send(socket_.fd(), text_.data(), text_.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
        return 0;
      }
      const int error = errno;
      const bool full = error == EAGAIN || error == EWOULDBLOCK;
      // UDP tells by ECONNREFUSED that nobody got a datagram before, once; this one can go now.
      if (!full && error != EINTR && (port_ == 0 || error != ECONNREFUSED)) return error;
      if (deadline == Clock::time_point{}) deadline = Clock::now() + patience;
      if (Clock::now() >= deadline) return EAGAIN;
      if (full && !socket_.wait_writable(deadline)) return EAGAIN;
    }
  }

  const std::string host_or_path_;
  const std::uint16_t port_;  // 0: a socket of the file system
  const SysLogOptions options_;
  detail::Socket socket_;
  std::string text_;  // keeps its memory for the next record
};

SysLogHandler::SysLogHandler(const std::filesystem::path& socket, SysLogOptions options)
    : line_(std::make_unique<Line>(std::filesystem::absolute(socket).string(), std::uint16_t{0},
                                   std::move(options))) {}

SysLogHandler::SysLogHandler(const std::string& host, std::uint16_t port, SysLogOptions options)
    : line_(std::make_unique<Line>(host, checked(port), std::move(options))) {}

SysLogHandler::~SysLogHandler() { say_losses(); }

std::string SysLogHandler::description() const {
  return "SysLogHandler \"" + line_->where() + "\"";
}

void SysLogHandler::emit(const LogRecord& record, std::string_view line) {
  line_->send(record.level, line);
}

void SysLogHandler::on_close() { line_->close(); }

}  // namespace conc::logging

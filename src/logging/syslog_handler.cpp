#include <conc/logging/syslog_handler.hpp>

#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/socket.h>

#include "sockets.hpp"

namespace conc::logging {
namespace {

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
    if (socket_ && send_once()) return;
    open();  // the daemon may have been started again
    if (!send_once()) throw std::system_error(errno, std::generic_category(), "cannot send");
  }

  void close() noexcept { socket_.close(); }

 private:
  void open() {
    socket_ = port_ == 0 ? detail::Socket::unix_datagram(host_or_path_)
                         : detail::Socket::udp(host_or_path_, port_);
  }

  // UDP tells by ECONNREFUSED that nobody got the datagram before; this one goes out all the same.
  bool send_once() {
    for (int tries = 0; tries != 2; ++tries) {
      if (::send(socket_.fd(), text_.data(), text_.size(), MSG_NOSIGNAL) >= 0) return true;
      if (errno != EINTR && (port_ == 0 || errno != ECONNREFUSED)) return false;
    }
    return port_ != 0;
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
    : line_(std::make_unique<Line>(host, port, std::move(options))) {}

SysLogHandler::~SysLogHandler() = default;

std::string SysLogHandler::description() const {
  return "SysLogHandler \"" + line_->where() + "\"";
}

void SysLogHandler::emit(const LogRecord& record, std::string_view line) {
  line_->send(record.level, line);
}

void SysLogHandler::on_close() { line_->close(); }

}  // namespace conc::logging

// Receivers for the handlers that send: a TCP server and datagram sockets, on this machine.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace conc::test {

// A descriptor of a socket.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  Fd(Fd&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }

  [[nodiscard]] int get() const { return fd_; }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  // What comes next, waiting for it; "" at the end of a connection, or when nothing comes.
  [[nodiscard]] std::string receive() const {
    ::pollfd ready{fd_, POLLIN, 0};
    if (::poll(&ready, 1, 30'000) <= 0) return {};
    std::string text(1 << 16, '\0');
    const ::ssize_t count = ::recv(fd_, text.data(), text.size(), 0);
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
  }

  // The next line, with its end; less at the end of the connection.
  [[nodiscard]] std::string line() {
    while (rest_.find('\n') == std::string::npos) {
      const std::string more = receive();
      if (more.empty()) break;
      rest_ += more;
    }
    const std::size_t end = rest_.find('\n');
    const std::string line = rest_.substr(0, end == std::string::npos ? end : end + 1);
    rest_.erase(0, line.size());
    return line;
  }

 private:
  int fd_;
  std::string rest_;
};

// Bound to the loopback address, by default to a port that was free.
inline Fd bound(int type, std::uint16_t port = 0) {
  Fd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  ::sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::bind(fd.get(), reinterpret_cast<const ::sockaddr*>(&address), sizeof address) != 0) {
    fd.reset();
  }
  if (type == SOCK_STREAM) ::listen(fd.get(), 8);
  return fd;
}

inline std::uint16_t port_of(const Fd& fd) {
  ::sockaddr_in address{};
  ::socklen_t size = sizeof address;
  ::getsockname(fd.get(), reinterpret_cast<::sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

// The next connection, waiting for it.
inline Fd accepted(const Fd& listener) {
  ::pollfd ready{listener.get(), POLLIN, 0};
  if (::poll(&ready, 1, 30'000) <= 0) return Fd(-1);
  return Fd(::accept(listener.get(), nullptr, nullptr));
}

// A datagram socket of the file system.
inline Fd bound_unix(const std::string& path) {
  Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ::sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (::bind(fd.get(), reinterpret_cast<const ::sockaddr*>(&address), sizeof address) != 0) {
    fd.reset();
  }
  return fd;
}

}  // namespace conc::test

#include "sockets.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <limits>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace conc::logging::detail {
namespace {

[[noreturn]] void fail(int error, const std::string& whom) {
  throw std::system_error(error, std::generic_category(), "cannot reach " + whom);
}

}  // namespace

Socket::Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Socket::close() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Socket Socket::unix_datagram(const std::string& path) {
  const std::string whom = "\"" + path + "\"";
  ::sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) fail(ENAMETOOLONG, whom);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Socket socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) fail(errno, whom);
  if (::connect(socket.fd_, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) != 0) {
    fail(errno, whom);
  }
  return socket;
}

Socket Socket::udp(const std::string& host, std::uint16_t port) {
  return open(host, port, SOCK_DGRAM, {});
}

Socket Socket::tcp(const std::string& host, std::uint16_t port, Deadline deadline) {
  return open(host, port, SOCK_STREAM | SOCK_NONBLOCK, deadline);
}

Socket Socket::open(const std::string& host, std::uint16_t port, int type, Deadline deadline) {
  const std::string whom = host + ":" + std::to_string(port);
  ::addrinfo hints{};
  hints.ai_socktype = type & ~SOCK_NONBLOCK;
  ::addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found)) {
    throw std::runtime_error("cannot reach " + whom + ": " + ::gai_strerror(error));
  }
  const std::unique_ptr<::addrinfo, void (*)(::addrinfo*)> all(found, ::freeaddrinfo);
  int error = ENOENT;
  int left = 0;
  for (const ::addrinfo* one = all.get(); one != nullptr; one = one->ai_next) ++left;
  for (const ::addrinfo* one = all.get(); one != nullptr; one = one->ai_next, --left) {
    Socket socket(::socket(one->ai_family, type | SOCK_CLOEXEC, one->ai_protocol));
    // One that is silent leaves time for the others.
    const auto now = conc::detail::SteadyClock::now();
    const Deadline part = now < deadline ? now + (deadline - now) / left : now;
    error = !socket ? errno : socket.connect(one->ai_addr, one->ai_addrlen, part);
    if (error == 0) return socket;
  }
  fail(error, whom);
}

// 0, or what went wrong.
int Socket::connect(const ::sockaddr* address, ::socklen_t size, Deadline deadline) const {
  if (::connect(fd_, address, size) == 0) return 0;
  if (errno != EINPROGRESS && errno != EINTR) return errno;
  if (!wait_writable(deadline)) return ETIMEDOUT;
  int error = 0;
  ::socklen_t length = sizeof error;
  return ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

bool Socket::closed_by_peer() const noexcept {
  // Not more than a peer may have sent that does not go on sending.
  constexpr int most_reads = 1024;
  char unread[1024];
  ::ssize_t count = 1;
  for (int i = 0; count > 0 && i != most_reads; ++i) {
    count = ::recv(fd_, unread, sizeof unread, MSG_DONTWAIT);
  }
  return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

bool Socket::wait_writable(Deadline deadline) const noexcept {
  // poll() takes an int: a longer time is waited for in parts, as is one that a signal cut short.
  constexpr std::chrono::milliseconds none{0};
  constexpr std::chrono::milliseconds longest{std::numeric_limits<int>::max()};
  for (bool time_is_up = false; !time_is_up;) {
    const auto left = deadline - conc::detail::SteadyClock::now();
    time_is_up = left <= none;
    const auto part = std::clamp(std::chrono::ceil<std::chrono::milliseconds>(left), none, longest);
    ::pollfd ready{fd_, POLLOUT, 0};
    if (::poll(&ready, 1, static_cast<int>(part.count())) > 0) return true;
  }
  return false;
}

}  // namespace conc::logging::detail

// Sockets, as far as handlers need them.
#pragma once

#include <conc/detail/machine.hpp>

#include <cstdint>
#include <string>

#include <sys/socket.h>

namespace conc::logging::detail {

// Owns a socket of the operating system, or none. It is closed on exec, and a peer that is gone
// raises no signal.
class Socket {
 public:
  using Deadline = conc::detail::SteadyClock::time_point;

  Socket() noexcept = default;
  ~Socket() { close(); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;

  // Throw std::system_error, or std::runtime_error for a host that is not found; the text says who
  // was not reached.

  // A datagram socket of the file system.
  static Socket unix_datagram(const std::string& path);
  static Socket udp(const std::string& host, std::uint16_t port);
  // Not blocking. Waits for the connection until then, whichever of the host's addresses it is to:
  // each has a share of the time that is left.
  static Socket tcp(const std::string& host, std::uint16_t port, Deadline deadline);

  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int fd() const noexcept { return fd_; }
  void close() noexcept;

  // Whether the other side has closed the connection. What it sent is thrown away: unread it would
  // hide that, and have the closing of this side reset the connection.
  [[nodiscard]] bool closed_by_peer() const noexcept;

  // Waits until something can be sent, or the connection broke. False when the time is up.
  [[nodiscard]] bool wait_writable(Deadline deadline) const noexcept;

 private:
  explicit Socket(int fd) noexcept : fd_(fd) {}
  static Socket open(const std::string& host, std::uint16_t port, int type, Deadline deadline);
  [[nodiscard]] int connect(const ::sockaddr* address, ::socklen_t size, Deadline deadline) const;

  int fd_ = -1;
};

}  // namespace conc::logging::detail

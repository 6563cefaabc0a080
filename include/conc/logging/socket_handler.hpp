// SocketHandler: sends records over TCP.
#pragma once

#include <conc/export.hpp>
#include <conc/logging/handler.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace conc::logging {

struct SocketOptions {
  std::chrono::milliseconds timeout{1000};      // for a connection, and for flush()
  std::chrono::milliseconds first_retry{1000};  // after a connection that failed; doubled each time
  std::chrono::milliseconds last_retry{30000};  // up to this
  // Kept while there is no connection, or what the connection did not take, beside a line that it
  // took in part.
  std::size_t max_bytes = std::size_t{1} << 20;
};

// Each record is a line; of JSON, by a JsonFormatter, unless the handler is given another
// formatter. The connection is made by the first record.
//
// While there is no connection, or the other side does not keep up, lines are kept, up to
// max_bytes; then the oldest are dropped and counted, or the newest if it is longer than that.
// Every record tries to send what is kept, and, when it is time to, to connect again; no thread
// works in the background. A logging call so waits for a connection at most for the timeout, not
// counting the time to look up the host, and most calls do not wait at all.
//
// Durability: what the connection took is in the hands of the kernel; it may still be lost when the
// other side breaks down. A line of which only a part was sent when the connection broke is sent
// whole on the next one. What is kept when the handler is destroyed without close(), or after a
// close() that could not send it, counts as lost.
//
// A connection whose other side sends no more counts as closed, since that looks the same as long
// as nothing is sent, and the line that would find it out would be lost. So the other side should
// not shut down its direction alone: each record would make a new connection.
//
// The child of a fork makes a connection of its own; what is kept is the parent's to send.
//
// flush() sends what is kept, and waits for it at most for the timeout; close() does the same and
// closes the connection, which the next record makes again.
//
// Python: logging.handlers.SocketHandler, which sends pickles
class CONC_LOGGING_EXPORT SocketHandler : public Handler {
 public:
  // Throws std::invalid_argument when the host has a null character, the port is 0, a time of the
  // options is negative, or the first retry is after the last; std::bad_alloc.
  SocketHandler(std::string host, std::uint16_t port, const SocketOptions& options = {});
  ~SocketHandler() override;

  [[nodiscard]] std::uint64_t dropped() const noexcept override;
  [[nodiscard]] std::string description() const override;

 protected:
  void emit(const LogRecord& record, std::string_view line) override;
  // Throws what the connection failed with; std::system_error when the time is up. What was not
  // sent is kept.
  void on_flush() override;
  void on_close() override;

 private:
  class Link;
  const std::unique_ptr<Link> link_;
};

}  // namespace conc::logging

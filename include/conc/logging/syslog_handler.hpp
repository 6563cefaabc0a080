// SysLogHandler: sends records to the system's log.
#pragma once

#include <conc/export.hpp>
#include <conc/logging/handler.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace conc::logging {

// What part of the system a message comes from; the numbers are syslog's.
enum class Facility : std::uint8_t {
  kern = 0,
  user = 1,
  mail = 2,
  daemon = 3,
  auth = 4,
  syslog = 5,
  lpr = 6,
  news = 7,
  uucp = 8,
  cron = 9,
  authpriv = 10,
  ftp = 11,
  local0 = 16,
  local1 = 17,
  local2 = 18,
  local3 = 19,
  local4 = 20,
  local5 = 21,
  local6 = 22,
  local7 = 23,
};

struct SysLogOptions {
  Facility facility = Facility::user;
  std::string ident = {};  // stands before each message: "shop: "
  bool append_nul = true;  // some daemons want the message to end so
};

// Each record is one datagram, "<14>ident message": to the socket of a daemon on this machine, or
// by UDP to another. A level from critical up is syslog's critical, from error up its error, and so
// on for warning and info; what is less is debug.
//
// Durability: the record is in the daemon's hands, or on the net, before the logging call returns,
// which waits at most a second when the daemon does not keep up. A daemon that was restarted is
// found again; a record that cannot be sent even so is lost.
//
// Python: logging.handlers.SysLogHandler
class CONC_LOGGING_EXPORT SysLogHandler : public Handler {
 public:
  // To a daemon on this machine.
  // Throws std::invalid_argument when the path has a null character; std::system_error that names
  // the socket when nobody listens there; std::bad_alloc.
  explicit SysLogHandler(const std::filesystem::path& socket = "/dev/log",
                         SysLogOptions options = {});

  // By UDP. Nobody need listen there: UDP does not tell.
  // Throws std::invalid_argument when the port is 0 or the host has a null character;
  // std::runtime_error that names the host when it is not found; std::system_error; std::bad_alloc.
  SysLogHandler(const std::string& host, std::uint16_t port, SysLogOptions options = {});

  ~SysLogHandler() override;

  [[nodiscard]] std::string description() const override;

 protected:
  void emit(const LogRecord& record, std::string_view line) override;
  // The next record opens the socket again.
  void on_close() override;

 private:
  class Line;
  const std::unique_ptr<Line> line_;
};

}  // namespace conc::logging

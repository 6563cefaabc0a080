#include <conc/logging/syslog_handler.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "logging_files.hpp"
#include "logging_net.hpp"

namespace conc::test {
namespace {

using logging::Facility;
using logging::Level;
using logging::SysLogHandler;
using namespace std::string_literals;

// What the next calls of send() fail with, the last first; and how often connect() was called.
std::vector<int> failures;
int connections = 0;

}  // namespace
}  // namespace conc::test

// In the place of the C library's.
extern "C" ::ssize_t send(int fd, const void* text, std::size_t size, int flags) {
  auto& failures = conc::test::failures;
  if (failures.empty()) return ::sendto(fd, text, size, flags, nullptr, 0);
  errno = failures.back();
  failures.pop_back();
  return -1;
}
extern "C" int connect(int fd, const ::sockaddr* address, ::socklen_t size) {
  ++conc::test::connections;
  return static_cast<int>(::syscall(SYS_connect, fd, address, size));
}

namespace conc::test {
namespace {

class SysLogHandlerTest : public LoggingFileTest {};

TEST_F(SysLogHandlerTest, SendsOneDatagramARecordToTheSocketOfADaemon) {
  const Fd daemon = bound_unix(file("log"));
  SysLogHandler handler(file("log"), {.facility = Facility::local3, .ident = "shop: "});
  handler.handle({.level = Level::warning, .message = "one"});
  handler.handle({.level = Level::info, .message = "two"});
  EXPECT_EQ(daemon.receive(), "<156>shop: one\0"s);
  EXPECT_EQ(daemon.receive(), "<158>shop: two\0"s);
}

TEST_F(SysLogHandlerTest, LevelsAreSyslogsSeverities) {
  const Fd daemon = bound_unix(file("log"));
  SysLogHandler handler(file("log"), {.append_nul = false});
  for (const auto& [level, expected] : {std::pair{1, "<15>m"},
                                        {10, "<15>m"},
                                        {20, "<14>m"},
                                        {25, "<14>m"},
                                        {30, "<12>m"},
                                        {40, "<11>m"},
                                        {50, "<10>m"},
                                        {99, "<10>m"}}) {
    handler.handle({.level = static_cast<Level>(level), .message = "m"});
    EXPECT_EQ(daemon.receive(), expected);
  }
}

TEST_F(SysLogHandlerTest, SendsByUdp) {
  const Fd daemon = bound(SOCK_DGRAM);
  SysLogHandler handler("127.0.0.1", port_of(daemon));
  handler.handle({.level = Level::error, .message = "over the net"});
  EXPECT_EQ(daemon.receive(), "<11>over the net\0"s);
  handler.close();
  handler.handle({.level = Level::error, .message = "and again"});
  EXPECT_EQ(daemon.receive(), "<11>and again\0"s);
}

TEST_F(SysLogHandlerTest, UdpGoesOnWhenNobodyListened) {
  std::optional<Fd> daemon(bound(SOCK_DGRAM));
  const std::uint16_t port = port_of(*daemon);
  daemon.reset();
  SysLogHandler handler("127.0.0.1", port);
  for (int i = 0; i < 3; ++i) handler.handle({.level = Level::error, .message = "unheard"});
  daemon.emplace(bound(SOCK_DGRAM, port));
  handler.handle({.level = Level::error, .message = "heard"});
  EXPECT_EQ(daemon->receive(), "<11>heard\0"s);
  EXPECT_EQ(handler.lost(), 0u);
}

TEST_F(SysLogHandlerTest, PortZeroIsRefused) {
  EXPECT_THROW(logging::SysLogHandler("127.0.0.1", 0), std::invalid_argument);
}

// The system would take what stands before it for the whole.
TEST_F(SysLogHandlerTest, NullCharactersAreRefused) {
  EXPECT_THROW(logging::SysLogHandler(std::string("127.0.0.1\0x", 11), 514), std::invalid_argument);
  const std::string path = file("log").string() + '\0' + "x";
  EXPECT_THROW(logging::SysLogHandler{std::filesystem::path(path)}, std::invalid_argument);
}

TEST_F(SysLogHandlerTest, DaemonThatIsNotThereThrowsAndIsNamed) {
  try {
    SysLogHandler handler(file("log"));
    FAIL() << "opened";
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find(file("log").string()), std::string::npos);
  }
  EXPECT_THROW(SysLogHandler(directory_ / std::string(200, 'x')), std::system_error);
  EXPECT_THROW(SysLogHandler("host.invalid", 514), std::runtime_error);
}

TEST_F(SysLogHandlerTest, DaemonThatWasStartedAgainIsFoundAndLossesAreCounted) {
  std::optional<Fd> daemon(bound_unix(file("log")));
  SysLogHandler handler(file("log"));
  daemon.reset();
  fs::remove(file("log"));
  ::testing::internal::CaptureStderr();
  handler.handle({.message = "lost"});
  const std::string report = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(report.find("SysLogHandler"), std::string::npos) << report;
  EXPECT_EQ(handler.lost(), 1u);
  daemon.emplace(bound_unix(file("log")));
  handler.handle({.message = "found"});
  EXPECT_EQ(daemon->receive(), "<15>found\0"s);
  EXPECT_EQ(handler.lost(), 1u);
}

TEST_F(SysLogHandlerTest, ASignalLosesNoRecord) {
  const Fd daemon = bound_unix(file("log"));
  SysLogHandler handler(file("log"));
  failures.assign(5, EINTR);
  handler.handle({.message = "one"});
  EXPECT_EQ(daemon.receive(), "<15>one\0"s);
  EXPECT_EQ(handler.lost(), 0u);
}

TEST_F(SysLogHandlerTest, WhatIsCountedAsSentByUdpWasSent) {
  const Fd daemon = bound(SOCK_DGRAM);
  SysLogHandler handler("127.0.0.1", port_of(daemon));
  for (const std::vector<int>& some : {std::vector{EINTR, EINTR}, std::vector{EINTR, ECONNREFUSED},
                                       std::vector{ECONNREFUSED, EINTR, EINTR}}) {
    failures = some;
    handler.handle({.message = "one"});
    handler.handle({.message = "two"});
    EXPECT_EQ(daemon.receive(), "<15>one\0"s);
    EXPECT_EQ(daemon.receive(), "<15>two\0"s);
  }
  EXPECT_EQ(handler.lost(), 0u);
}

TEST_F(SysLogHandlerTest, DaemonThatDoesNotKeepUpIsWaitedForOnce) {
  const Fd daemon = bound_unix(file("log"));
  SysLogHandler handler(file("log"));
  const Fd other(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ::sockaddr_un address{};
  address.sun_family = AF_UNIX;
  file("log").string().copy(address.sun_path, sizeof address.sun_path - 1);
  const auto* const to = reinterpret_cast<const ::sockaddr*>(&address);
  while (::sendto(other.get(), "x", 1, MSG_DONTWAIT, to, sizeof address) == 1) {
  }
  ASSERT_EQ(errno, EAGAIN);
  connections = 0;
  ::testing::internal::CaptureStderr();
  handler.handle({.message = "too much"});
  const std::string report = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(report.find("cannot send"), std::string::npos) << report;
  EXPECT_EQ(handler.lost(), 1u);
  EXPECT_EQ(connections, 0);  // a new socket would be waited for once more
  EXPECT_EQ(daemon.receive(), "x");
  handler.handle({.message = "in time"});
  EXPECT_EQ(handler.lost(), 1u);
}

}  // namespace
}  // namespace conc::test

#include <conc/logging/syslog_handler.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "logging_files.hpp"
#include "logging_net.hpp"

namespace conc::test {
namespace {

using logging::Facility;
using logging::Level;
using logging::SysLogHandler;
using namespace std::string_literals;

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

}  // namespace
}  // namespace conc::test

// Messages that would do harm: no handler, formatter or filter minds them.

#include <conc/logging.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "json_check.hpp"
#include "logging_files.hpp"
#include "logging_net.hpp"

namespace conc::test {
namespace {

using namespace std::chrono_literals;
using logging::Controls;
using logging::Formatter;

class HostileMessages : public LoggingFileTest {
 protected:
  static std::vector<std::pair<const char*, std::string>> messages() {
    std::string all;
    for (int c = 0; c != 256; ++c) all += static_cast<char>(c);
    return {
        {"lines", "a\nERROR root: forged\r\n\r\v\f\n"},
        {"terminal",
         "\x1b[2J\x1b]0;title\x07\x1b[31m\x9b"
         "31m\b\b\b"},
        {"null", std::string("a\0b\0", 4)},
        {"not UTF-8", "\xff\xfe\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82"},
        {"separators", "\xe2\x80\xa8\xe2\x80\xa9\xc2\x85"},
        {"patterns", "%s %n %(message)s {} {0} {message:>999999999} %%"},
        {"quotes", "\"},{\"level\":\"ERROR\"} \\u0000 \\"},
        {"every byte", all},
        {"nothing", ""},
        {"10 MiB", std::string(10u << 20, 'x')},
        {"1 MiB of controls", std::string(1u << 20, '\x1b')},
    };
  }
};

TEST_F(HostileMessages, PassThroughEveryHandler) {
  logging::Logger& log = logging::get_logger("hostile");
  log.set_propagate(false);
  const Fd server = bound(SOCK_STREAM);
  const Fd daemon = bound(SOCK_DGRAM);
  std::ostringstream stream;
  const auto queue = std::make_shared<logging::RecordQueue>(100);
  const auto queued = std::make_shared<logging::FileHandler>(file("queued"));
  logging::QueueListener listener(queue, {queued});
  listener.start();
  const auto direct = std::make_shared<logging::FileHandler>(file("direct"));
  const auto kept = std::make_shared<logging::FileHandler>(file("kept"));
  const auto syslog = std::make_shared<logging::SysLogHandler>("127.0.0.1", port_of(daemon));
  for (const std::shared_ptr<logging::Handler>& handler :
       std::vector<std::shared_ptr<logging::Handler>>{
           direct, std::make_shared<logging::StreamHandler>(stream),
           std::make_shared<logging::WatchedFileHandler>(file("watched")),
           std::make_shared<logging::RotatingFileHandler>(
               file("rotated"), logging::RotatingOptions{.max_bytes = 1000, .backup_count = 20}),
           std::make_shared<logging::TimedRotatingFileHandler>(file("timed"),
                                                               logging::TimedRotatingOptions{}),
           std::make_shared<logging::MemoryHandler>(1000, kept),
           std::make_shared<logging::QueueHandler>(queue),
           std::make_shared<logging::SocketHandler>("127.0.0.1", port_of(server)), syslog}) {
    log.add_handler(handler);
  }
  ::testing::internal::CaptureStderr();
  std::string expected;
  for (const auto& [name, message] : messages()) {
    log.warning("{}", message);
    expected += message + "\n";
  }
  listener.stop();
  for (const auto& handler : log.handlers()) {
    if (dynamic_cast<logging::MemoryHandler*>(handler.get()) != nullptr) handler->flush();
    EXPECT_EQ(handler->lost(), handler == syslog ? 2u : 0u) << handler->description();
  }
  // A datagram has room for 64 KiB.
  const std::string report = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(report.find("SysLogHandler"), std::string::npos) << report;
  EXPECT_TRUE(content(file("direct")) == expected);
  EXPECT_TRUE(content(file("watched")) == expected);
  EXPECT_TRUE(content(file("timed")) == expected);
  EXPECT_TRUE(content(file("queued")) == expected);
  EXPECT_TRUE(content(file("kept")) == expected);
  EXPECT_TRUE(stream.str() == expected);
}

TEST_F(HostileMessages, AreOneLineOfValidJson) {
  logging::FileHandler handler(file());
  handler.set_formatter(std::make_shared<logging::JsonFormatter>());
  for (const auto& [name, message] : messages()) handler.handle({.message = message});
  std::ifstream lines(file());
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_TRUE(JsonReader::valid(line)) << messages()[count].first;
    for (const char c : line) ASSERT_TRUE(c >= ' ' || c < 0);
  }
  EXPECT_EQ(count, messages().size());
}

TEST_F(HostileMessages, AreOneLineWithoutControlsWhenToldSo) {
  for (const auto style : {logging::Style::percent, logging::Style::brace}) {
    const Formatter formatter(
        style == logging::Style::percent ? "%(message)s|%(message)40s" : "{message}|{message:>40}",
        {}, style, Controls::escape);
    for (const auto& [name, message] : messages()) {
      std::string line;
      formatter.format({.message = message, .exception = {}}, line);
      for (const char c : line) {
        ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) << name;
      }
    }
  }
}

}  // namespace
}  // namespace conc::test

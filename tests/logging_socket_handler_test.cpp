#include <conc/logging/socket_handler.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include <dlfcn.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate.hpp"
#include "json_check.hpp"
#include "logging_fixture.hpp"
#include "logging_net.hpp"

namespace conc::test {
namespace {

using logging::SocketHandler;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// When somebody asked for a connection. For tests of one thread.
std::vector<Clock::time_point> attempts;
std::atomic<bool> attempts_are_kept{false};

// The next address that is tried does not answer.
std::atomic<bool> first_is_silent{false};
std::atomic<bool> waits_for_silence{false};
std::atomic<int> longest_wait{0};  // for it, in milliseconds

std::atomic<bool> sending_fails{false};

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace
}  // namespace conc::test

// In the place of the C library's.
extern "C" int getaddrinfo(const char* host, const char* port, const ::addrinfo* hints,
                           ::addrinfo** found) {
  const auto resolve = conc::test::next<decltype(getaddrinfo)>("getaddrinfo");
  if (std::string_view(host) != "two.example") return resolve(host, port, hints, found);
  const int error = resolve("127.0.0.1", port, hints, found);
  return error != 0 ? error : resolve("127.0.0.1", port, hints, &(*found)->ai_next);
}

extern "C" int poll(::pollfd* some, ::nfds_t count, int timeout) {
  using namespace conc::test;
  if (!waits_for_silence) return next<decltype(poll)>("poll")(some, count, timeout);
  longest_wait = std::max(longest_wait.load(), timeout);
  return 0;
}

extern "C" ::ssize_t send(int fd, const void* data, std::size_t size, int flags) {
  using namespace conc::test;
  if (!sending_fails) return next<decltype(send)>("send")(fd, data, size, flags);
  errno = ECONNRESET;
  return -1;
}

extern "C" int connect(int fd, const ::sockaddr* address, ::socklen_t size) {
  conc::test::waits_for_silence = conc::test::first_is_silent.exchange(false);
  if (conc::test::waits_for_silence) {
    errno = EINPROGRESS;
    return -1;
  }
  if (conc::test::attempts_are_kept) conc::test::attempts.push_back(conc::test::Clock::now());
  return static_cast<int>(::syscall(SYS_connect, fd, address, size));
}

namespace conc::test {
namespace {

class SocketHandlerTest : public LoggingTest {
 protected:
  static std::uint16_t port_of_nobody() { return port_of(bound(SOCK_STREAM)); }

  // A handler that writes bare messages.
  static std::unique_ptr<SocketHandler> plain(std::uint16_t port,
                                              const logging::SocketOptions& options = {}) {
    auto handler = std::make_unique<SocketHandler>("127.0.0.1", port, options);
    handler->set_formatter(nullptr);
    return handler;
  }

  // What the handlers say on stderr while there is nobody to connect to.
  void SetUp() override {
    LoggingTest::SetUp();
    ::testing::internal::CaptureStderr();
  }
  void TearDown() override {
    ::testing::internal::GetCapturedStderr();
    LoggingTest::TearDown();
  }
};

TEST_F(SocketHandlerTest, SendsLinesOfJson) {
  const Fd server = bound(SOCK_STREAM);
  SocketHandler handler("127.0.0.1", port_of(server));
  handler.handle({.name = "net", .message = "one\nrecord"});
  handler.handle({.name = "net", .message = "two"});
  Fd client = accepted(server);
  const std::string line = client.line();
  ASSERT_FALSE(line.empty());
  EXPECT_TRUE(JsonReader::valid(line.substr(0, line.size() - 1))) << line;
  EXPECT_EQ(JsonReader::string_member(line, "message"), "one\nrecord");
  EXPECT_EQ(JsonReader::string_member(client.line(), "message"), "two");
}

TEST_F(SocketHandlerTest, BadOptionsAreRefused) {
  EXPECT_THROW(SocketHandler("h", 1, {.timeout = -1ms}), std::invalid_argument);
  EXPECT_THROW(SocketHandler("h", 1, {.first_retry = 2ms, .last_retry = 1ms}),
               std::invalid_argument);
  EXPECT_THROW(SocketHandler("h", 0), std::invalid_argument);
  EXPECT_THROW(SocketHandler(std::string("h\0x", 3), 1), std::invalid_argument);
}

TEST_F(SocketHandlerTest, KeepsRecordsUntilSomebodyListens) {
  const std::uint16_t port = port_of_nobody();
  const auto handler = plain(port, {.first_retry = 0ms, .last_retry = 0ms});
  handler->handle({.message = "1"});
  handler->handle({.message = "2"});
  EXPECT_THROW(handler->flush(), std::system_error);
  const Fd server = bound(SOCK_STREAM, port);
  handler->handle({.message = "3"});
  Fd client = accepted(server);
  EXPECT_EQ(client.line(), "1\n");
  EXPECT_EQ(client.line(), "2\n");
  EXPECT_EQ(client.line(), "3\n");
  EXPECT_EQ(handler->dropped(), 0u);
  EXPECT_EQ(handler->lost(), 0u);
}

TEST_F(SocketHandlerTest, DropsTheOldestBeyondItsRoomAndCounts) {
  const std::uint16_t port = port_of_nobody();
  const auto handler = plain(port, {.first_retry = 0ms, .last_retry = 0ms, .max_bytes = 6});
  for (const char* text : {"1", "2", "3", "4", "5"}) handler->handle({.message = text});
  EXPECT_EQ(handler->dropped(), 2u);
  const Fd server = bound(SOCK_STREAM, port);
  handler->flush();
  EXPECT_EQ(accepted(server).line(), "3\n");
}

TEST_F(SocketHandlerTest, LineLargerThanTheRoomTakesItFromNoOther) {
  const std::uint16_t port = port_of_nobody();
  const auto handler = plain(port, {.first_retry = 0ms, .last_retry = 0ms, .max_bytes = 6});
  for (const char* text : {"1", "2", "larger than the room", "3"}) {
    handler->handle({.message = text});
  }
  EXPECT_EQ(handler->dropped(), 1u);
  const Fd server = bound(SOCK_STREAM, port);
  handler->flush();
  Fd client = accepted(server);
  for (const char* text : {"1\n", "2\n", "3\n"}) EXPECT_EQ(client.line(), text);
}

TEST_F(SocketHandlerTest, WhatIsLeftWhenItIsDestroyedIsSaidToBeLost) {
  ::testing::internal::GetCapturedStderr();
  ::testing::internal::CaptureStderr();
  {
    const auto handler = plain(port_of_nobody());
    handler->handle({.message = "1"});
    handler->handle({.message = "2"});
  }
  const std::string said = ::testing::internal::GetCapturedStderr();
  ::testing::internal::CaptureStderr();
  EXPECT_NE(said.find(": 2 records lost so far"), std::string::npos) << said;
}

TEST_F(SocketHandlerTest, FirstAddressThatIsSilentLeavesTimeForTheSecond) {
  const Fd server = bound(SOCK_STREAM);
  SocketHandler handler("two.example", port_of(server), {.timeout = 100ms});
  handler.set_formatter(nullptr);
  first_is_silent = true;
  handler.handle({.message = "line"});
  EXPECT_FALSE(waits_for_silence);
  EXPECT_LE(longest_wait, 50);
  EXPECT_EQ(accepted(server).line(), "line\n");
}

TEST_F(SocketHandlerTest, FlushSaysWhyTheConnectionBroke) {
  const Fd server = bound(SOCK_STREAM);
  const auto handler = plain(port_of(server), {.timeout = 30s});
  sending_fails = true;
  handler->handle({.message = "line"});
  try {
    handler->flush();
    ADD_FAILURE();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), ECONNRESET) << error.what();
  }
  sending_fails = false;
  handler->close();
}

TEST_F(SocketHandlerTest, DoesNotTryAgainBeforeItIsTime) {
  const std::uint16_t port = port_of_nobody();
  const auto handler = plain(port, {.first_retry = 1h, .last_retry = 1h});
  handler->handle({.message = "1"});
  const Fd server = bound(SOCK_STREAM, port);
  handler->handle({.message = "2"});
  ::pollfd ready{server.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&ready, 1, 0), 0);
  handler->flush();  // asked for, it does
  Fd client = accepted(server);
  EXPECT_EQ(client.line(), "1\n");
  EXPECT_EQ(client.line(), "2\n");
}

TEST_F(SocketHandlerTest, WaitsTwiceAsLongAfterEachAttemptUpToTheLongest) {
  attempts.clear();
  attempts_are_kept = true;
  const auto handler = plain(port_of_nobody(), {.first_retry = 5ms, .last_retry = 30ms});
  while (attempts.size() < 13) handler->handle({.message = "m"});
  attempts_are_kept = false;
  std::vector<std::chrono::milliseconds> least{5ms, 10ms, 20ms};
  least.resize(12, 30ms);
  for (std::size_t i = 0; i < 12; ++i) EXPECT_GE(attempts[i + 1] - attempts[i], least[i]) << i;
  // Doubled without end it would be twenty seconds.
  EXPECT_LT(attempts.back() - attempts.front(), 10s);
}

TEST_F(SocketHandlerTest, WaitsAsAtFirstAfterAConnectionThatWasLost) {
  attempts.clear();
  attempts_are_kept = true;
  const std::uint16_t port = port_of_nobody();
  const auto handler = plain(port, {.first_retry = 1ms, .last_retry = 1h});
  while (attempts.size() < 9) handler->handle({.message = "1"});
  {
    const Fd server = bound(SOCK_STREAM, port);
    handler->flush();
    ASSERT_EQ(accepted(server).line(), "1\n");
  }
  attempts.clear();
  while (attempts.size() < 4) handler->handle({.message = "2"});
  attempts_are_kept = false;
  // Going on with half a second it would be seconds.
  EXPECT_LT(attempts.back() - attempts.front(), 1s);
}

TEST_F(SocketHandlerTest, LongestTimesAreNotTooLong) {
  constexpr auto longest = std::chrono::milliseconds::max();
  const Fd server = bound(SOCK_STREAM);
  const auto handler = plain(
      port_of(server),
      {.timeout = longest, .first_retry = longest, .last_retry = longest, .max_bytes = 64u << 20});
  const std::string text(16u << 20, 'x');  // more than the kernel keeps for a connection
  handler->handle({.message = text});
  Fd client = accepted(server);
  bool whole = false;
  std::thread reader([&] { whole = client.line() == text + "\n"; });
  EXPECT_NO_THROW(handler->flush());
  handler->close();
  reader.join();
  EXPECT_TRUE(whole);

  const auto waiting = plain(port_of_nobody(), {.first_retry = longest, .last_retry = longest});
  attempts.clear();
  attempts_are_kept = true;
  for (int i = 0; i < 3; ++i) waiting->handle({.message = "m"});
  attempts_are_kept = false;
  EXPECT_EQ(attempts.size(), 1u);
}

TEST_F(SocketHandlerTest, SignalsDoNotEndTheWaitForTheOtherSide) {
  struct ::sigaction quiet {};
  struct ::sigaction before {};
  quiet.sa_handler = [](int) {};
  ASSERT_EQ(::sigaction(SIGUSR1, &quiet, &before), 0);
  const Fd server = bound(SOCK_STREAM);
  const auto handler = plain(port_of(server), {.timeout = 30s, .max_bytes = 64u << 20});
  const std::string text(16u << 20, 'x');
  handler->handle({.message = text});
  Fd client = accepted(server);
  std::atomic<bool> flushed{false};
  std::thread flusher([&] {
    EXPECT_NO_THROW(handler->flush());
    flushed = true;
  });
  for (int i = 0; i < 1000; ++i) {
    ::pthread_kill(flusher.native_handle(), SIGUSR1);
    std::this_thread::yield();
  }
  EXPECT_FALSE(flushed);
  EXPECT_TRUE(client.line() == text + "\n");
  flusher.join();
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST_F(SocketHandlerTest, ConnectionThatTheOtherSideClosedIsMadeAgainAndNothingLost) {
  const Fd server = bound(SOCK_STREAM);
  const auto handler = plain(port_of(server));
  for (int round = 0; round < 3; ++round) {
    handler->handle({.message = "1"});
    handler->handle({.message = "2"});
    Fd client = accepted(server);
    EXPECT_EQ(client.line(), "1\n");
    EXPECT_EQ(client.line(), "2\n");
  }
  EXPECT_EQ(handler->dropped(), 0u);
}

TEST_F(SocketHandlerTest, ConnectionIsMadeAgainWhateverTheOtherSideSentBeforeItClosed) {
  const Fd server = bound(SOCK_STREAM);
  const auto handler = plain(port_of(server));
  const std::string unasked(10'000, '?');
  for (int round = 0; round < 3; ++round) {
    handler->handle({.message = "line"});
    Fd client = accepted(server);
    EXPECT_EQ(client.line(), "line\n");
    EXPECT_EQ(::send(client.get(), unasked.data(), unasked.size(), 0),
              static_cast<::ssize_t>(unasked.size()));
  }
  EXPECT_EQ(handler->dropped(), 0u);
}

TEST_F(SocketHandlerTest, RecordsWaitForAReaderThatDoesNotKeepUpAndFlushSendsAll) {
  const Fd server = bound(SOCK_STREAM);
  const auto handler = plain(port_of(server), {.timeout = 30s, .max_bytes = 64u << 20});
  const std::string text(1u << 20, 'x');
  constexpr int count = 20;  // more than the kernel keeps for a connection
  for (int i = 0; i < count; ++i) handler->handle({.message = text});
  Fd client = accepted(server);
  int whole = 0;
  std::thread reader([&] {
    while (client.line() == text + "\n") ++whole;
  });
  handler->flush();
  handler->close();
  reader.join();
  EXPECT_EQ(whole, count);
}

TEST_F(SocketHandlerTest, LineLargerThanTheRoomIsSentOverAConnection) {
  const Fd server = bound(SOCK_STREAM);
  const auto handler = plain(port_of(server), {.timeout = 30s, .max_bytes = 10});
  const std::string text(1000, 'x');
  handler->handle({.message = text});
  Fd client = accepted(server);
  EXPECT_EQ(client.line(), text + "\n");
  handler->handle({.message = text});
  EXPECT_EQ(client.line(), text + "\n");
  // What the kernel took in part is not given up, and what comes meanwhile has its own room.
  const std::string much(16u << 20, 'y');
  handler->handle({.message = much});
  handler->handle({.message = "next"});
  std::thread reader([&] {
    EXPECT_TRUE(client.line() == much + "\n");
    EXPECT_EQ(client.line(), "next\n");
  });
  handler->flush();
  reader.join();
  EXPECT_EQ(handler->dropped(), 0u);
}

TEST_F(SocketHandlerTest, FlushGivesUpAtATimeAndKeepsTheRest) {
  const Fd server = bound(SOCK_STREAM);
  const auto handler = plain(port_of(server), {.timeout = 10ms, .max_bytes = 64u << 20});
  const std::string text(16u << 20, 'x');
  handler->handle({.message = text});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THROW(handler->flush(), std::system_error);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 10ms);
  EXPECT_EQ(handler->dropped(), 0u);
}

TEST_F(SocketHandlerTest, CloseEndsTheConnectionAndTheNextRecordMakesAnother) {
  const Fd server = bound(SOCK_STREAM);
  const auto handler = plain(port_of(server));
  handler->handle({.message = "1"});
  handler->close();
  Fd first = accepted(server);
  EXPECT_EQ(first.line(), "1\n");
  EXPECT_EQ(first.line(), "");
  handler->handle({.message = "2"});
  EXPECT_EQ(accepted(server).line(), "2\n");
}

TEST_F(SocketHandlerTest, ChildOfAForkHasAConnectionOfItsOwn) {
  const Fd server = bound(SOCK_STREAM);
  const auto handler = plain(port_of(server));
  handler->handle({.message = "parent"});
  Fd parents = accepted(server);
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    handler->handle({.message = "child"});
    handler->close();
    ::_exit(0);
  }
  EXPECT_EQ(accepted(server).line(), "child\n");
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  handler->handle({.message = "parent again"});
  EXPECT_EQ(parents.line(), "parent\n");
  EXPECT_EQ(parents.line(), "parent again\n");
}

TEST_F(SocketHandlerTest, LinesOfThreadsAreWholeAndInOrder) {
  const Fd server = bound(SOCK_STREAM);
  const auto handler = plain(port_of(server));
  constexpr std::size_t threads = 4;
  constexpr int each = 200;
  std::thread reader([&] {
    Fd client = accepted(server);
    int next[threads] = {};
    for (std::size_t i = 0; i < threads * each; ++i) {
      const std::string line = client.line();
      ASSERT_FALSE(line.empty());
      const auto thread = static_cast<std::size_t>(line[0] - '0');
      ASSERT_LT(thread, threads);
      EXPECT_EQ(line, std::to_string(thread) + ":" + std::to_string(next[thread]++) + "\n");
    }
  });
  together(threads, [&](std::size_t i) {
    for (int n = 0; n < each; ++n) {
      const std::string text = std::to_string(i) + ":" + std::to_string(n);
      handler->handle({.message = text});
    }
  });
  handler->flush();
  reader.join();
}

}  // namespace
}  // namespace conc::test

#include <conc/logging/stream_handler.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <string>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "file_size_limit.hpp"
#include "interrupted.hpp"
#include "logging_fixture.hpp"

namespace conc::test {
namespace {

class StreamHandlerTest : public LoggingTest {};

const logging::LogRecord some_record{.message = "hello"};

TEST_F(StreamHandlerTest, WritesToStderrUnlessToldOtherwise) {
  logging::StreamHandler handler;
  ::testing::internal::CaptureStderr();
  handler.handle(some_record);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "hello\n");
}

TEST_F(StreamHandlerTest, LinesOnStdoutKeepTheirPlaceBetweenThoseOfPrintf) {
  logging::StreamHandler handler(stdout);
  ::testing::internal::CaptureStdout();
  std::printf("before\n");
  handler.handle(some_record);
  std::printf("after\n");
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "before\nhello\nafter\n");
}

TEST_F(StreamHandlerTest, WritesToAnyStream) {
  std::ostringstream stream;
  logging::StreamHandler handler(stream);
  handler.handle(some_record);
  handler.handle(some_record);
  EXPECT_EQ(stream.str(), "hello\nhello\n");
}

TEST_F(StreamHandlerTest, TerminatorEndsEachLine) {
  std::ostringstream stream;
  logging::StreamHandler handler(stream);
  handler.set_terminator("; ");
  handler.handle(some_record);
  handler.set_terminator("");
  handler.handle(some_record);
  EXPECT_EQ(stream.str(), "hello; hello");
}

TEST_F(StreamHandlerTest, NullIsNoStream) {
  EXPECT_THROW(logging::StreamHandler(static_cast<std::FILE*>(nullptr)), std::invalid_argument);
}

TEST_F(StreamHandlerTest, SaysWhereItWrites) {
  EXPECT_EQ(logging::StreamHandler().description(), "StreamHandler stderr");
  EXPECT_EQ(logging::StreamHandler(stdout).description(), "StreamHandler stdout");
}

// Takes nothing while it is full.
class Paper : public std::streambuf {
 public:
  bool full = false;
  std::string text;
  int flushed = 0;

 private:
  std::streamsize xsputn(const char* from, std::streamsize size) override {
    if (full) return 0;
    text.append(from, static_cast<std::size_t>(size));
    return size;
  }
  int sync() override {
    ++flushed;
    return full ? -1 : 0;
  }
};

TEST_F(StreamHandlerTest, EveryRecordIsFlushed) {
  Paper paper;
  std::ostream stream(&paper);
  logging::StreamHandler handler(stream);
  handler.handle(some_record);
  EXPECT_EQ(paper.flushed, 1);
  handler.flush();
  EXPECT_EQ(paper.flushed, 2);
}

TEST_F(StreamHandlerTest, WritingResumesWhenTheStreamCan) {
  Paper paper;
  std::ostream stream(&paper);
  logging::StreamHandler handler(stream);
  ::testing::internal::CaptureStderr();
  paper.full = true;
  handler.handle(some_record);
  handler.handle(some_record);
  EXPECT_THROW(handler.flush(), std::ios_base::failure);
  paper.full = false;
  handler.handle(some_record);
  ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(paper.text, "hello\n");
  EXPECT_EQ(handler.lost(), 2u);
}

// What a file holds, without its stream.
std::string content(std::FILE* file) {
  std::string text(1 << 12, '\0');
  const ::ssize_t count = ::pread(::fileno(file), text.data(), text.size(), 0);
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

TEST_F(StreamHandlerTest, WritingResumesOnANewLineWhenAFileHasRoomAgain) {
  std::FILE* const file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  logging::StreamHandler handler(file);
  ::testing::internal::CaptureStderr();
  {
    const FileSizeLimit limit(10);
    handler.handle(some_record);
    handler.handle({.message = "torn line"});
    handler.handle({.message = "lost line"});
  }
  handler.handle({.message = "back"});
  handler.handle({.message = "again"});
  ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(content(file), "hello\ntorn\nback\nagain\n");
  EXPECT_EQ(handler.lost(), 2u);
  std::fclose(file);
}

TEST_F(StreamHandlerTest, WhatTheProgramWritesBehindATornLineIsOnANewOneToo) {
  std::FILE* const file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  logging::StreamHandler handler(file);
  ::testing::internal::CaptureStderr();
  {
    const FileSizeLimit limit(4);
    handler.handle({.message = "torn line"});
  }
  std::fputs("the program's\n", file);
  handler.handle(some_record);
  ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(content(file), "torn\nthe program's\nhello\n");
  std::fclose(file);
}

TEST_F(StreamHandlerTest, StreamThatThrowsIsTriedAgainToo) {
  Paper paper;
  std::ostream stream(&paper);
  stream.exceptions(std::ios_base::badbit);
  logging::StreamHandler handler(stream);
  ::testing::internal::CaptureStderr();
  paper.full = true;
  handler.handle(some_record);
  paper.full = false;
  handler.handle(some_record);
  ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(paper.text, "hello\n");
  EXPECT_EQ(handler.lost(), 1u);
}

TEST_F(StreamHandlerTest, CloseLeavesTheStreamOpen) {
  std::ostringstream stream;
  logging::StreamHandler handler(stream);
  handler.close();
  handler.handle(some_record);
  EXPECT_EQ(stream.str(), "hello\n");
}

TEST_F(StreamHandlerTest, ASignalLosesNoRecord) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  std::FILE* const file = ::fdopen(ends[1], "w");
  logging::StreamHandler handler(file);
  const std::string text(1 << 20, 'x');  // more than a pipe holds
  std::string seen;
  {
    Interrupted writer([&] {
      handler.handle({.message = text});
      handler.handle(some_record);
      std::fclose(file);
    });
    EXPECT_TRUE(writer.interrupt(3));
    char part[4096];
    for (::ssize_t count; (count = ::read(ends[0], part, sizeof part)) > 0;) {
      seen.append(part, static_cast<std::size_t>(count));
    }
  }
  ::close(ends[0]);
  EXPECT_TRUE(seen == text + "\nhello\n") << seen.size();
  EXPECT_EQ(handler.lost(), 0u);
}

TEST_F(StreamHandlerTest, StreamOfCNeedNotBeAFile) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* const memory = ::open_memstream(&text, &size);
  logging::StreamHandler handler(memory);
  handler.handle(some_record);
  EXPECT_STREQ(text, "hello\n");
  std::fclose(memory);
  std::free(text);
}

// ---- Colour

// A terminal that nobody sees.
class Terminal {
 public:
  Terminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    ::grantpt(master_);
    ::unlockpt(master_);
    file_ = std::fopen(::ptsname(master_), "w");
    termios settings{};
    ::tcgetattr(::fileno(file_), &settings);
    ::cfmakeraw(&settings);  // no carriage returns of its own
    ::tcsetattr(::fileno(file_), TCSANOW, &settings);
  }
  ~Terminal() {
    std::fclose(file_);
    ::close(master_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  [[nodiscard]] std::FILE* file() const { return file_; }
  // What was written, which must be something.
  [[nodiscard]] std::string seen() const {
    std::string text(1 << 12, '\0');
    const ::ssize_t count = ::read(master_, text.data(), text.size());
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
  }

 private:
  int master_;
  std::FILE* file_ = nullptr;
};

class StreamHandlerColourTest : public StreamHandlerTest {
 protected:
  void SetUp() override {
    StreamHandlerTest::SetUp();
    ::unsetenv("NO_COLOR");
    ::setenv("TERM", "xterm", 1);
  }

  static void log_error(logging::Handler& handler) {
    handler.handle({.level = logging::Level::error, .message = "bad"});
  }
};

TEST_F(StreamHandlerColourTest, LinesOnATerminalAreColouredByTheirLevel) {
  const Terminal terminal;
  logging::StreamHandler handler(terminal.file());
  const auto line = [&](logging::Level level) {
    handler.handle({.level = level, .message = "m"});
    return terminal.seen();
  };
  EXPECT_EQ(line(logging::Level::debug), "\x1b[2mm\x1b[0m\n");
  EXPECT_EQ(line(logging::Level::info), "m\n");
  EXPECT_EQ(line(logging::Level::warning), "\x1b[33mm\x1b[0m\n");
  EXPECT_EQ(line(logging::Level::error), "\x1b[31mm\x1b[0m\n");
  EXPECT_EQ(line(logging::Level::critical), "\x1b[1;31mm\x1b[0m\n");
}

TEST_F(StreamHandlerColourTest, EnvironmentCanForbidIt) {
  const Terminal terminal;
  ::setenv("NO_COLOR", "1", 1);
  logging::StreamHandler handler(terminal.file());
  log_error(handler);
  EXPECT_EQ(terminal.seen(), "bad\n");
  ::setenv("NO_COLOR", "", 1);
  ::setenv("TERM", "dumb", 1);
  handler.set_colour(logging::Colour::automatic);
  log_error(handler);
  EXPECT_EQ(terminal.seen(), "bad\n");
  ::setenv("TERM", "xterm", 1);
  handler.set_colour(logging::Colour::automatic);
  log_error(handler);
  EXPECT_EQ(terminal.seen(), "\x1b[31mbad\x1b[0m\n");
}

TEST_F(StreamHandlerColourTest, WhatIsNoTerminalIsPlainUnlessToldOtherwise) {
  std::ostringstream stream;
  logging::StreamHandler handler(stream);
  log_error(handler);
  handler.set_colour(logging::Colour::always);
  log_error(handler);
  handler.set_colour(logging::Colour::never);
  log_error(handler);
  EXPECT_EQ(stream.str(), "bad\n\x1b[31mbad\x1b[0m\nbad\n");
}

}  // namespace
}  // namespace conc::test

#include <conc/logging/stream_handler.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <string>

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

}  // namespace
}  // namespace conc::test

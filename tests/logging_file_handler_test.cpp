#include <conc/logging/file_handler.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

#include "logging_files.hpp"

namespace conc::test {
namespace {

using logging::FileHandler;
using logging::FileMode;

const logging::LogRecord some_record{.message = "hello"};

class FileHandlerTest : public LoggingFileTest {};

TEST_F(FileHandlerTest, AppendsUnlessToldOtherwise) {
  write(file(), "old\n");
  FileHandler(file()).handle(some_record);
  EXPECT_EQ(content(file()), "old\nhello\n");
}

TEST_F(FileHandlerTest, PartOfALineThatAKilledProgramLeftIsEnded) {
  write(file(), "whole\nto");
  FileHandler handler(file());
  handler.handle(some_record);
  handler.close();
  handler.handle(some_record);
  EXPECT_EQ(content(file()), "whole\nto\nhello\nhello\n");
}

TEST_F(FileHandlerTest, LinesOfAnotherEndAreWhole) {
  FileHandler handler(file());
  handler.set_terminator(";");
  handler.handle(some_record);
  handler.close();
  handler.handle(some_record);
  EXPECT_EQ(content(file()), "hello;hello;");
}

TEST_F(FileHandlerTest, TruncatesWhenToldSoOnceOnly) {
  write(file(), "old\n");
  FileHandler handler(file(), {.mode = FileMode::truncate});
  EXPECT_EQ(content(file()), "");
  handler.handle(some_record);
  handler.close();
  handler.handle(some_record);
  EXPECT_EQ(content(file()), "hello\nhello\n");
}

TEST_F(FileHandlerTest, DelayedFileIsMadeByTheFirstRecord) {
  FileHandler handler(file(), {.delay = true});
  EXPECT_FALSE(fs::exists(file()));
  handler.handle(some_record);
  EXPECT_EQ(content(file()), "hello\n");
}

TEST_F(FileHandlerTest, DelayedTruncationTakesPlaceWithTheFirstRecord) {
  write(file(), "old\n");
  FileHandler handler(file(), {.mode = FileMode::truncate, .delay = true});
  EXPECT_EQ(content(file()), "old\n");
  handler.handle(some_record);
  EXPECT_EQ(content(file()), "hello\n");
}

TEST_F(FileHandlerTest, RecordIsInTheFileWhenTheCallReturns) {
  FileHandler handler(file());
  for (int i = 1; i <= 3; ++i) {
    handler.handle(some_record);
    EXPECT_EQ(fs::file_size(file()), 6u * static_cast<unsigned>(i));
  }
}

TEST_F(FileHandlerTest, FileThatCannotBeOpenedThrowsAndIsNamed) {
  const fs::path path = directory_ / "missing" / "app.log";
  try {
    FileHandler handler(path);
    FAIL() << "opened";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
    EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos) << error.what();
  }
}

TEST_F(FileHandlerTest, DelayedFileThatCannotBeOpenedIsReportedAndTriedAgain) {
  const fs::path path = directory_ / "missing" / "app.log";
  FileHandler handler(path, {.delay = true});
  ::testing::internal::CaptureStderr();
  handler.handle(some_record);
  const std::string report = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(report.find(path.string()), std::string::npos) << report;
  EXPECT_EQ(handler.lost(), 1u);
  fs::create_directory(path.parent_path());
  handler.handle(some_record);
  EXPECT_EQ(content(path), "hello\n");
}

TEST_F(FileHandlerTest, RelativePathCountsFromTheDirectoryAtConstruction) {
  const fs::path before = fs::current_path();
  fs::current_path(directory_);
  FileHandler handler("app.log", {.delay = true});
  fs::current_path(before);
  EXPECT_EQ(handler.path(), fs::canonical(directory_) / "app.log");
  handler.handle(some_record);
  EXPECT_EQ(content(file()), "hello\n");
}

TEST_F(FileHandlerTest, SeveralHandlersShareAFile) {
  FileHandler one(file()), two(file(), {.mode = FileMode::truncate});
  one.handle({.message = "one"});
  two.handle({.message = "two"});
  one.handle({.message = "three"});
  EXPECT_EQ(content(file()), "one\ntwo\nthree\n");
}

TEST_F(FileHandlerTest, FileIsClosedOnExecAndByCloseAndByTheDestructor) {
  // Lowest free descriptor first, so the number tells whether one is open.
  const int probe = ::open("/dev/null", O_RDONLY);
  ::close(probe);
  {
    FileHandler handler(file());
    EXPECT_NE(::fcntl(probe, F_GETFD) & FD_CLOEXEC, 0);
    handler.close();
    handler.close();
    EXPECT_EQ(::fcntl(probe, F_GETFD), -1);
    handler.handle(some_record);
    EXPECT_NE(::fcntl(probe, F_GETFD), -1);
  }
  EXPECT_EQ(::fcntl(probe, F_GETFD), -1);
}

TEST_F(FileHandlerTest, FullDiskLosesRecordsAndSaysSo) {
  FileHandler handler("/dev/full");
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 5; ++i) handler.handle(some_record);
  const std::string report = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(handler.lost(), 5u);
  EXPECT_NE(report.find("FileHandler \"/dev/full\""), std::string::npos) << report;
  EXPECT_NE(report.find("No space left"), std::string::npos) << report;
  EXPECT_NE(report.find("1 lost so far"), std::string::npos) << report;
}

// A limit on the size of files stands in for a disk that fills up and is tidied.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit{bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*old_handler_)(int);
  rlimit old_{};
};

TEST_F(FileHandlerTest, WritingResumesOnANewLineWhenThereIsRoomAgain) {
  FileHandler handler(file());
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
  EXPECT_EQ(content(file()), "hello\ntorn\nback\nagain\n");
  EXPECT_EQ(handler.lost(), 2u);
}

TEST_F(FileHandlerTest, LongMessagesAreWhole) {
  FileHandler handler(file());
  const std::string text(10u << 20, 'x');
  handler.handle({.message = text});
  handler.handle(some_record);
  EXPECT_EQ(content(file()), text + "\nhello\n");
}

}  // namespace
}  // namespace conc::test

#include <conc/logging/watched_file_handler.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "logging_files.hpp"

namespace conc::test {
namespace {

using logging::WatchedFileHandler;

class WatchedFileHandlerTest : public LoggingFileTest {};

TEST_F(WatchedFileHandlerTest, FileThatIsLeftAloneStaysOpen) {
  WatchedFileHandler handler(file());
  handler.handle({.level = logging::Level::warning, .message = "1"});
  handler.handle({.level = logging::Level::warning, .message = "2"});
  EXPECT_EQ(content(file()), "1\n2\n");
}

TEST_F(WatchedFileHandlerTest, DeletedFileIsMadeAnew) {
  WatchedFileHandler handler(file());
  handler.handle({.level = logging::Level::warning, .message = "1"});
  fs::remove(file());
  handler.handle({.level = logging::Level::warning, .message = "2"});
  EXPECT_EQ(content(file()), "2\n");
}

TEST_F(WatchedFileHandlerTest, FileThatWasMovedAwayIsLeftAndANewOneMade) {
  WatchedFileHandler handler(file());
  handler.handle({.level = logging::Level::warning, .message = "1"});
  fs::rename(file(), file("moved"));
  handler.handle({.level = logging::Level::warning, .message = "2"});
  handler.handle({.level = logging::Level::warning, .message = "3"});
  EXPECT_EQ(content(file("moved")), "1\n");
  EXPECT_EQ(content(file()), "2\n3\n");
}

TEST_F(WatchedFileHandlerTest, FileOfAnotherThatTookThePlaceIsAppendedTo) {
  WatchedFileHandler handler(file(), {.mode = logging::FileMode::truncate});
  handler.handle({.level = logging::Level::warning, .message = "1"});
  write(file("new"), "from another\n");
  fs::rename(file("new"), file());
  handler.handle({.level = logging::Level::warning, .message = "2"});
  EXPECT_EQ(content(file()), "from another\n2\n");
}

TEST_F(WatchedFileHandlerTest, RecordsAreLostWhileThereIsNoDirectoryAndNoLonger) {
  fs::create_directory(directory_ / "logs");
  const fs::path path = directory_ / "logs" / "app.log";
  WatchedFileHandler handler(path);
  fs::remove_all(directory_ / "logs");
  ::testing::internal::CaptureStderr();
  handler.handle({.level = logging::Level::warning, .message = "1"});
  const std::string report = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(report.find("WatchedFileHandler"), std::string::npos) << report;
  EXPECT_EQ(handler.lost(), 1u);
  fs::create_directory(directory_ / "logs");
  handler.handle({.level = logging::Level::warning, .message = "2"});
  EXPECT_EQ(content(path), "2\n");
}

}  // namespace
}  // namespace conc::test

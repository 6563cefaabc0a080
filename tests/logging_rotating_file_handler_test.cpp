#include <conc/logging/rotating_file_handler.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <set>
#include <string>

#include <sys/stat.h>

#include "gate.hpp"
#include "logging_files.hpp"

namespace conc::test {
namespace {

using logging::RotatingFileHandler;
using Names = std::set<std::string>;

const logging::LogRecord hello{.level = logging::Level::warning,
                               .message = "hello"};  // six bytes with the line end

class RotatingFileHandlerTest : public LoggingFileTest {};

TEST_F(RotatingFileHandlerTest, FileStaysBelowItsSizeAndOldOnesMoveOn) {
  RotatingFileHandler handler(file(), {.max_bytes = 13, .backup_count = 2});
  for (const char* text :
       {"one..", "two..", "three", "four.", "five.", "six..", "seven", "eight"}) {
    handler.handle({.level = logging::Level::warning, .message = text});
    EXPECT_LT(fs::file_size(file()), 13u);
  }
  EXPECT_EQ(content(file()), "seven\neight\n");
  EXPECT_EQ(content(file("app.log.1")), "five.\nsix..\n");
  EXPECT_EQ(content(file("app.log.2")), "three\nfour.\n");
  EXPECT_EQ(files(), (Names{"app.log", "app.log.1", "app.log.2"}));
}

TEST_F(RotatingFileHandlerTest, RecordThatWouldReachTheSizeGoesToTheNewFile) {
  RotatingFileHandler handler(file(), {.max_bytes = 12, .backup_count = 1});
  handler.handle(hello);
  handler.handle(hello);
  EXPECT_EQ(content(file()), "hello\n");
  EXPECT_EQ(content(file("app.log.1")), "hello\n");
}

TEST_F(RotatingFileHandlerTest, NeverRollsOverWithoutSizeOrWithoutBackups) {
  for (const logging::RotatingOptions& options :
       {logging::RotatingOptions{.max_bytes = 0, .backup_count = 3},
        logging::RotatingOptions{.max_bytes = 3, .backup_count = 0}}) {
    RotatingFileHandler handler(file(), options);
    for (int i = 0; i < 10; ++i) handler.handle(hello);
    handler.roll();
    EXPECT_EQ(files(), (Names{"app.log"}));
  }
  EXPECT_EQ(fs::file_size(file()), 120u);
}

TEST_F(RotatingFileHandlerTest, LargeRecordHasAFileOfItsOwn) {
  RotatingFileHandler handler(file(), {.max_bytes = 10, .backup_count = 3});
  handler.handle({.level = logging::Level::warning, .message = "larger than any file"});
  EXPECT_EQ(files(), (Names{"app.log"}));
  handler.handle(hello);
  EXPECT_EQ(content(file("app.log.1")), "larger than any file\n");
  EXPECT_EQ(content(file()), "hello\n");
}

TEST_F(RotatingFileHandlerTest, WhatIsInTheFileCounts) {
  write(file(), "from an earlier run\n");
  RotatingFileHandler handler(file(), {.max_bytes = 21, .backup_count = 1});
  handler.handle(hello);
  EXPECT_EQ(content(file("app.log.1")), "from an earlier run\n");
  EXPECT_EQ(content(file()), "hello\n");
}

TEST_F(RotatingFileHandlerTest, RollsOverWhenTold) {
  RotatingFileHandler handler(file(), {.max_bytes = 1000, .backup_count = 2});
  handler.handle(hello);
  handler.roll();
  EXPECT_EQ(content(file()), "");
  EXPECT_EQ(content(file("app.log.1")), "hello\n");
  handler.roll();  // nothing in it
  EXPECT_EQ(content(file("app.log.1")), "");
  EXPECT_EQ(content(file("app.log.2")), "hello\n");
}

TEST_F(RotatingFileHandlerTest, DelayedFileIsMadeByTheFirstRecord) {
  RotatingFileHandler handler(file(), {.max_bytes = 10, .backup_count = 1, .delay = true});
  handler.roll();  // not even a file
  EXPECT_EQ(files(), Names());
  handler.handle(hello);
  EXPECT_EQ(content(file()), "hello\n");
}

TEST_F(RotatingFileHandlerTest, NamerNamesTheOldFiles) {
  const auto namer = [](const fs::path& name) {
    return name.parent_path() / ("old-" + name.filename().string());
  };
  RotatingFileHandler handler(file(), {.max_bytes = 7, .backup_count = 2, .namer = namer});
  for (const char* text : {"one..", "two..", "three", "four."})
    handler.handle({.level = logging::Level::warning, .message = text});
  EXPECT_EQ(files(), (Names{"app.log", "old-app.log.1", "old-app.log.2"}));
  EXPECT_EQ(content(file("old-app.log.1")), "three\n");
  EXPECT_EQ(content(file("old-app.log.2")), "two..\n");
}

TEST_F(RotatingFileHandlerTest, WhatIsNotARegularFileIsNeverRolledOver) {
  fs::create_symlink("/dev/null", file());
  RotatingFileHandler handler(file(), {.max_bytes = 7, .backup_count = 1});
  for (int i = 0; i < 5; ++i) handler.handle(hello);
  handler.roll();
  EXPECT_EQ(files(), (Names{"app.log"}));
  EXPECT_EQ(handler.lost(), 0u);
}

TEST_F(RotatingFileHandlerTest, FileThatCannotBeRenamedGoesOnAndIsSaidSo) {
  fs::create_directories(file("app.log.1") / "not to be replaced");
  RotatingFileHandler handler(file(), {.max_bytes = 7, .backup_count = 1});
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) handler.handle(hello);
  const std::string report = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(report.find("could not be rolled over"), std::string::npos) << report;
  EXPECT_NE(report.find(file().string()), std::string::npos) << report;
  EXPECT_EQ(content(file()), "hello\nhello\nhello\n");
  EXPECT_EQ(handler.lost(), 0u);
  fs::remove_all(file("app.log.1"));
  handler.handle(hello);
  EXPECT_EQ(content(file()), "hello\n");
}

TEST_F(RotatingFileHandlerTest, FileThatWasDeletedIsMadeAnewAndOldOnesStay) {
  write(file("app.log.1"), "first\n");
  RotatingFileHandler handler(file(), {.max_bytes = 7, .backup_count = 2});
  handler.handle(hello);
  fs::remove(file());
  ::testing::internal::CaptureStderr();
  handler.handle(hello);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(content(file()), "hello\n");
  EXPECT_EQ(content(file("app.log.1")), "first\n");
  fs::remove(file());
  handler.roll();
  EXPECT_EQ(content(file()), "");
  EXPECT_EQ(files(), (Names{"app.log", "app.log.1"}));
}

TEST_F(RotatingFileHandlerTest, GapLeftByAFailureIsFilledBeforeOldFilesMoveOn) {
  write(file("app.log.2"), "second\n");
  write(file("app.log.3"), "third\n");
  RotatingFileHandler handler(file(), {.max_bytes = 7, .backup_count = 3});
  handler.handle(hello);
  handler.handle(hello);
  EXPECT_EQ(content(file("app.log.1")), "hello\n");
  EXPECT_EQ(content(file("app.log.2")), "second\n");
  EXPECT_EQ(content(file("app.log.3")), "third\n");
}

TEST_F(RotatingFileHandlerTest, ThreadsLoseNothingOverManyFiles) {
  constexpr std::size_t threads = 4;
  constexpr int each = 200;
  RotatingFileHandler handler(file(), {.max_bytes = 600, .backup_count = 100});
  together(threads, [&](std::size_t) {
    for (int i = 0; i < each; ++i) handler.handle(hello);
  });
  std::size_t total = 0;
  for (const std::string& name : files()) {
    const std::string text = content(file(name.c_str()));
    EXPECT_LT(text.size(), 600u);
    EXPECT_EQ(text.size() % 6, 0u);
    total += text.size();
  }
  EXPECT_EQ(total, 6u * threads * each);
  EXPECT_EQ(handler.lost(), 0u);
}

}  // namespace
}  // namespace conc::test

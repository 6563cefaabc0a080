#include <conc/logging/file_handler.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "eventually.hpp"
#include "file_size_limit.hpp"
#include "interrupted.hpp"
#include "logging_files.hpp"

namespace conc::test {
namespace {

using logging::FileHandler;
using logging::FileMode;

const logging::LogRecord some_record{.level = logging::Level::warning, .message = "hello"};

const logging::LogRecord some_news{.level = logging::Level::info, .message = "news"};

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

// The system would open, and truncate, the file that what stands before it names.
TEST_F(FileHandlerTest, NullCharacterInThePathIsRefused) {
  write(file(), "old\n");
  const fs::path path = file().string() + '\0' + "x";
  EXPECT_THROW(FileHandler(path, {.mode = FileMode::truncate}), std::invalid_argument);
  EXPECT_EQ(content(file()), "old\n");
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

TEST_F(FileHandlerTest, WarningIsInTheFileWhenTheCallReturns) {
  FileHandler handler(file());
  for (int i = 1; i <= 3; ++i) {
    handler.handle(some_record);
    EXPECT_EQ(fs::file_size(file()), 6u * static_cast<unsigned>(i));
  }
}

TEST_F(FileHandlerTest, EveryRecordIsInTheFileWhenTheCallReturnsIfAskedFor) {
  FileHandler handler(file(), {.flush = logging::Flush::every_record});
  for (int i = 1; i <= 3; ++i) {
    handler.handle(some_news);
    EXPECT_EQ(fs::file_size(file()), 5u * static_cast<unsigned>(i));
  }
}

TEST_F(FileHandlerTest, WarningTakesAlongWhatCameBeforeIt) {
  FileHandler handler(file());
  handler.handle(some_news);
  handler.handle(some_news);
  handler.handle(some_record);
  EXPECT_EQ(content(file()), "news\nnews\nhello\n");
}

TEST_F(FileHandlerTest, WhatIsHeldBackIsWrittenSoon) {
  std::deque<FileHandler> handlers;
  for (int i = 0; i < 20; ++i) handlers.emplace_back(file(std::to_string(i).c_str()));
  for (FileHandler& handler : handlers) handler.handle(some_news);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(eventually([&] { return content(file(std::to_string(i).c_str())) == "news\n"; }));
  }
  // And once more.
  handlers.front().handle(some_news);
  EXPECT_TRUE(eventually([&] { return content(file("0")) == "news\nnews\n"; }));
}

TEST_F(FileHandlerTest, FlushAndCloseAndTheDestructorWriteWhatIsHeldBack) {
  {
    FileHandler handler(file());
    handler.handle(some_news);
    handler.flush();
    EXPECT_EQ(content(file()), "news\n");
    handler.handle(some_news);
    handler.close();
    EXPECT_EQ(content(file()), "news\nnews\n");
  }
  { FileHandler(file()).handle(some_news); }
  EXPECT_EQ(content(file()), "news\nnews\nnews\n");
}

TEST_F(FileHandlerTest, NothingIsHeldBackOnceItWasClosed) {
  FileHandler handler(file());
  handler.close();
  handler.handle(some_news);
  EXPECT_EQ(content(file()), "news\n");
}

// The flusher is among them when they go.
TEST_F(FileHandlerTest, HandlersMayGoWhileTheirLinesAreBeingWritten) {
  constexpr int count = 200;
  std::vector<std::unique_ptr<FileHandler>> handlers;
  for (int i = 0; i < count; ++i) {
    handlers.push_back(std::make_unique<FileHandler>(file(std::to_string(i).c_str())));
    handlers.back()->handle(some_news);
  }
  EXPECT_TRUE(eventually([&] { return fs::file_size(file("0")) != 0; }));
  while (!handlers.empty()) handlers.pop_back();
  for (int i = 0; i < count; ++i) EXPECT_EQ(content(file(std::to_string(i).c_str())), "news\n");
}

TEST_F(FileHandlerTest, BlocksAndLinesLargerThanABlockKeepTheirOrder) {
  FileHandler handler(file());
  std::string expected;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = std::to_string(i);
    if (i % 5'000 == 4'999) text.append(100'000, 'x');
    handler.handle({.level = logging::Level::info, .message = text});
    expected += text + "\n";
  }
  handler.flush();
  EXPECT_TRUE(content(file()) == expected);
}

// Each thread logs a number and has the next one log the following.
TEST_F(FileHandlerTest, ALineComesAfterThoseThatItsThreadHasHeardOf) {
  constexpr int threads = 4;
  constexpr int count = 4'000;
  FileHandler handler(file());
  std::atomic<int> next{0};
  std::string expected;
  for (int i = 0; i < count; ++i) expected += std::to_string(i) + "\n";
  std::vector<std::thread> team;
  for (int me = 0; me < threads; ++me) {
    team.emplace_back([&, me] {
      for (int i = me; i < count; i += threads) {
        while (next != i) std::this_thread::yield();
        handler.handle({.level = logging::Level::info, .message = std::to_string(i)});
        ++next;
      }
    });
  }
  for (std::thread& one : team) one.join();
  handler.flush();
  EXPECT_TRUE(content(file()) == expected);
}

// A signal holds a thread wherever it is just then, in the middle of a line now and then.
TEST_F(FileHandlerTest, WhoWritesTheBlockWaitsForLinesThatWereBegun) {
  // The writer stays where the signal meets it, in the middle of a line now and then, for so long
  // that whoever flushes meanwhile comes to wait for it.
  static std::atomic<int> held;
  static std::atomic<int> gone_on;
  static std::atomic<bool> flushed;
  held = gone_on = 0;
  struct sigaction action = {};
  struct sigaction before = {};
  action.sa_handler = [](int) {
    ++held;
    for (int looks = 0; looks < 3000 && !flushed; ++looks) std::this_thread::yield();
    ++gone_on;
  };
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  FileHandler handler(file());
  std::atomic<bool> enough{false};
  int logged = 0;
  std::thread writer([&] {
    for (; !enough; ++logged) {
      handler.handle({.level = logging::Level::info, .message = std::to_string(logged)});
    }
  });
  for (int round = 1; round <= 200; ++round) {
    flushed = false;
    pthread_kill(writer.native_handle(), SIGUSR1);
    ASSERT_TRUE(eventually([round] { return held == round; }));
    handler.flush();
    flushed = true;
    ASSERT_TRUE(eventually([round] { return gone_on == round; }));
  }
  enough = true;
  writer.join();
  handler.flush();
  sigaction(SIGUSR1, &before, nullptr);
  std::string expected;
  for (int i = 0; i < logged; ++i) expected += std::to_string(i) + "\n";
  EXPECT_TRUE(content(file()) == expected);
}

TEST_F(FileHandlerTest, ABlockOfVeryShortLinesIsWrittenInTime) {
  FileHandler handler(file());
  handler.set_terminator("");
  std::string expected;
  for (int i = 0; i < 5'000; ++i) {
    const char digit[2] = {static_cast<char>('0' + i % 10), '\0'};
    handler.handle({.level = logging::Level::info, .message = i % 3 == 0 ? "" : digit});
    if (i % 3 != 0) expected += digit;
  }
  handler.flush();
  EXPECT_EQ(content(file()), expected);
}

TEST_F(FileHandlerTest, ADerivedClassSeesEveryRecordWithTheLockHeld) {
  class Counting : public FileHandler {
   public:
    using FileHandler::FileHandler;
    int count = 0;  // guarded by the handler's lock

   private:
    void emit(const logging::LogRecord& record, std::string_view line) override {
      ++count;
      FileHandler::emit(record, line);
    }
  };
  Counting handler(file());
  std::vector<std::thread> team;
  for (int i = 0; i < 4; ++i) {
    team.emplace_back([&] {
      for (int n = 0; n < 1'000; ++n) handler.handle(some_news);
    });
  }
  for (std::thread& one : team) one.join();
  handler.flush();
  EXPECT_EQ(handler.count, 4'000);
  EXPECT_EQ(content(file()).size(), 4'000 * std::string_view("news\n").size());
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

TEST_F(FileHandlerTest, ASignalLosesNoRecordThatWaitsForTheReaderOfAPipe) {
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  FileHandler handler(file(), {.delay = true});
  int reader = -1;
  {
    Interrupted writer([&] { handler.handle(some_record); });
    EXPECT_TRUE(writer.interrupt(3));
    reader = ::open(file().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  }
  char text[16];
  EXPECT_EQ(::read(reader, text, sizeof text), 6);
  ::close(reader);
  EXPECT_EQ(handler.lost(), 0u);
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
  one.handle({.level = logging::Level::warning, .message = "one"});
  two.handle({.level = logging::Level::warning, .message = "two"});
  one.handle({.level = logging::Level::warning, .message = "three"});
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

TEST_F(FileHandlerTest, WritingResumesOnANewLineWhenThereIsRoomAgain) {
  FileHandler handler(file());
  ::testing::internal::CaptureStderr();
  {
    const FileSizeLimit limit(10);
    handler.handle(some_record);
    handler.handle({.level = logging::Level::warning, .message = "torn line"});
    handler.handle({.level = logging::Level::warning, .message = "lost line"});
  }
  handler.handle({.level = logging::Level::warning, .message = "back"});
  handler.handle({.level = logging::Level::warning, .message = "again"});
  ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(content(file()), "hello\ntorn\nback\nagain\n");
  EXPECT_EQ(handler.lost(), 2u);
}

TEST_F(FileHandlerTest, LinesOfABlockThatDidNotFitAreCountedExactly) {
  FileHandler handler(file());
  {
    const FileSizeLimit limit(12);  // two lines, and a part of the third
    for (int i = 0; i < 5; ++i) handler.handle(some_news);
    EXPECT_THROW(handler.flush(), std::system_error);
    EXPECT_EQ(handler.lost(), 3u);
    for (int i = 0; i < 4; ++i) handler.handle(some_news);
    handler.handle(some_record);
    EXPECT_EQ(handler.lost(), 8u);
  }
  handler.handle(some_news);
  handler.flush();
  EXPECT_EQ(content(file()), "news\nnews\nne\nnews\n");
  EXPECT_EQ(handler.lost(), 8u);
}

TEST_F(FileHandlerTest, LinesThatAreLostAfterTheCallAreSaid) {
  ::testing::internal::CaptureStderr();
  {
    FileHandler handler("/dev/full");
    handler.handle(some_news);
    handler.handle(some_news);
  }
  const std::string report = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(report.find("FileHandler \"/dev/full\": 2 records were lost"), std::string::npos)
      << report;
}

TEST_F(FileHandlerTest, LinesThatAreLostInTheEndAreSaid) {
  ::testing::internal::CaptureStderr();
  std::size_t logged = 0;
  {
    FileHandler handler("/dev/full");
    // Until a block is full, which is said; the line after it is lost within the same second.
    for (; handler.lost() == 0; ++logged) handler.handle(some_news);
  }
  const std::string report = ::testing::internal::GetCapturedStderr();
  const std::string begin = "FileHandler \"/dev/full\": ";
  const std::string total = std::to_string(logged);
  EXPECT_TRUE(report.find(begin + total + " records lost so far\n") != std::string::npos ||
              report.find("(" + total + " lost so far)\n") != std::string::npos)
      << total << '\n'
      << report;
}

// Both what a call loses and what is lost after the call are the handler's.
TEST_F(FileHandlerTest, LossesAreReportedOnceASecondWhateverWasHeldBack) {
  FileHandler handler("/dev/full");
  const std::string text(20'000, 'x');  // a block does not hold two
  ::testing::internal::CaptureStderr();
  const auto begin = std::chrono::steady_clock::now();
  handler.handle(some_record);
  for (int i = 0; i < 5; ++i) {
    handler.handle({.level = logging::Level::info, .message = text});
    handler.handle({.level = logging::Level::info, .message = text});
    handler.handle(some_record);
  }
  const auto time = std::chrono::steady_clock::now() - begin;
  const std::string report = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(handler.lost(), 16u);
  EXPECT_LE(std::count(report.begin(), report.end(), '\n'), 1 + time / std::chrono::seconds(1))
      << report;
}

// Waits until the handler, which complained before that, may do so again.
bool the_second_is_over() {
  const auto over = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  return eventually([&] { return std::chrono::steady_clock::now() > over; });
}

TEST_F(FileHandlerTest, LossesAreNotSaidOverARecordThatIsHeldBack) {
  FileHandler handler("/dev/full");
  ::testing::internal::CaptureStderr();
  handler.handle(some_record);
  handler.handle(some_record);
  EXPECT_TRUE(the_second_is_over());
  handler.handle(some_news);  // put into the block by emit()
  handler.handle(some_news);  // and without it
  const std::string report = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(report.find("records lost so far"), std::string::npos) << report;
}

TEST_F(FileHandlerTest, LossesAreSaidWhenARecordThatWasHeldBackArrives) {
  FileHandler handler(file());
  {
    const FileSizeLimit limit(0);  // of stderr too
    handler.handle(some_record);
    handler.handle(some_record);
  }
  EXPECT_TRUE(the_second_is_over());
  ::testing::internal::CaptureStderr();
  handler.handle(some_news);
  EXPECT_TRUE(eventually([&] { return content(file()) == "news\n"; }));
  handler.flush();  // nothing; whoever wrote the line is done by then
  const std::string report = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(report.find(": 2 records lost so far\n"), std::string::npos) << report;
  EXPECT_EQ(std::count(report.begin(), report.end(), '\n'), 1) << report;
}

TEST_F(FileHandlerTest, LongMessagesAreWhole) {
  FileHandler handler(file());
  const std::string text(10u << 20, 'x');
  handler.handle({.level = logging::Level::warning, .message = text});
  handler.handle(some_record);
  EXPECT_EQ(content(file()), text + "\nhello\n");
}

}  // namespace
}  // namespace conc::test

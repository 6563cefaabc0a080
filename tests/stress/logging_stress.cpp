#include <conc/logging.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <unistd.h>

#include "gate.hpp"
#include "stress.hpp"

namespace {

namespace fs = std::filesystem;
namespace logging = conc::logging;

using conc::test::Dice;
using conc::test::rounds;
using conc::test::together;

constexpr std::size_t writers = 8;

// The numbers behind "thread=" and "number=" and the length of the rest, which follows from them.
std::size_t rest_of(std::size_t thread, std::int64_t number) {
  return (thread * 131 + static_cast<std::size_t>(number) * 17) % 300;
}

// Checks that the file holds `each` whole lines of every writer in the order they were logged.
void expect_whole_and_in_order(const fs::path& path, std::int64_t each) {
  for (const auto& handler : logging::get_logger("stress").handlers()) handler->flush();
  std::vector<std::int64_t> next(writers, 0);
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::size_t thread = writers;
    std::int64_t number = -1;
    const char* const end = line.data() + line.size();
    const auto first = std::from_chars(line.data(), end, thread);
    ASSERT_TRUE(first.ec == std::errc() && first.ptr != end && *first.ptr == ' ') << line;
    const auto second = std::from_chars(first.ptr + 1, end, number);
    ASSERT_TRUE(second.ec == std::errc() && second.ptr != end && *second.ptr == ' ') << line;
    ASSERT_LT(thread, writers);
    ASSERT_EQ(number, next[thread]++) << line;
    ASSERT_EQ(std::string_view(second.ptr + 1, end),
              std::string(rest_of(thread, number), static_cast<char>('a' + thread)) + "|");
  }
  for (const std::int64_t count : next) EXPECT_EQ(count, each);
}

class LoggingStress : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "conc-stress-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    logger_.set_propagate(false);
    logger_.set_level(logging::Level::info);
  }
  void TearDown() override {
    for (const auto& handler : logger_.handlers()) logger_.remove_handler(handler);
    fs::remove_all(directory_);
  }

  // Eight threads log `each` lines; `disturb` runs over and over in a thread of its own meanwhile.
  void log_from_all(std::int64_t each, const std::function<void(Dice&)>& disturb) {
    std::atomic<std::size_t> at_work{writers};
    together(writers + 1, [&](std::size_t who) {
      Dice dice(static_cast<unsigned>(who) + 1);
      if (who == writers) {
        while (at_work != 0) disturb(dice);
        return;
      }
      const logging::Logger& leaf = logging::get_logger("stress.leaf" + std::to_string(who % 3));
      for (std::int64_t i = 0; i < each; ++i) {
        const bool matters = dice.roll(100) == 0;
        leaf.log(matters ? logging::Level::warning : logging::Level::info, "{} {} {}|", who, i,
                 std::string(rest_of(who, i), static_cast<char>('a' + who)));
        leaf.debug("never seen");
      }
      --at_work;
    });
  }

  logging::Logger& logger_ = logging::get_logger("stress");
  fs::path directory_;
};

TEST_F(LoggingStress, LinesOfEightThreadsAreWholeAndInOrderWhileHandlersComeAndGo) {
  const fs::path path = directory_ / "stays.log";
  logger_.add_handler(std::make_shared<logging::FileHandler>(path));
  const std::int64_t each = rounds(5'000);
  log_from_all(each, [this](Dice& dice) {
    const auto guest = std::make_shared<logging::FileHandler>(
        directory_ / ("guest" + std::to_string(dice.roll(4))));
    guest->set_formatter(std::make_shared<logging::Formatter>("%(asctime)s %(message)s"));
    logging::Logger& leaf = logging::get_logger("stress.leaf" + std::to_string(dice.roll(4)));
    leaf.add_handler(guest);
    std::this_thread::yield();
    if (dice.roll(2) == 0) guest->close();
    leaf.remove_handler(guest);
  });
  expect_whole_and_in_order(path, each);
}

TEST_F(LoggingStress, NothingIsLostWhileLevelsFiltersAndFormattersChange) {
  const fs::path path = directory_ / "stays.log";
  const auto handler = std::make_shared<logging::FileHandler>(path);
  logger_.add_handler(handler);
  const std::int64_t each = rounds(5'000);
  log_from_all(each, [&](Dice& dice) {
    const auto all = std::make_shared<logging::Filter>(
        [](const logging::LogRecord& record) { return !record.message.empty(); });
    handler->add_filter(all);
    handler->set_formatter(dice.roll(2) == 0 ? std::make_shared<logging::Formatter>() : nullptr);
    logger_.add_filter(all);
    logger_.set_level(dice.roll(2) == 0 ? logging::Level::info : static_cast<logging::Level>(15));
    logging::disable(dice.roll(2) == 0 ? logging::Level::debug : logging::Level::notset);
    logging::get_logger("stress.made." + std::to_string(dice.roll(100)))
        .set_level(logging::Level::error);
    logger_.remove_filter(all);
    handler->remove_filter(all);
  });
  logging::disable(logging::Level::notset);
  EXPECT_EQ(handler->lost(), 0U);
  expect_whole_and_in_order(path, each);
}

TEST_F(LoggingStress, NothingIsLostWhileTheFileIsFlushedAndClosed) {
  const fs::path path = directory_ / "closed.log";
  const auto handler = std::make_shared<logging::FileHandler>(path);
  logger_.add_handler(handler);
  const std::int64_t each = rounds(5'000);
  log_from_all(each, [&](Dice& dice) {
    if (dice.roll(500) == 0) {
      handler->close();  // nothing is held back from then on
    } else {
      handler->flush();
    }
    std::this_thread::yield();
  });
  EXPECT_EQ(handler->lost(), 0U);
  expect_whole_and_in_order(path, each);
}

TEST_F(LoggingStress, QueueLosesNothingWhileItsListenerStopsAndStarts) {
  const fs::path path = directory_ / "queued.log";
  const auto queue = std::make_shared<logging::RecordQueue>(64);
  const auto handler = std::make_shared<logging::QueueHandler>(queue);
  logging::QueueListener listener(queue, {std::make_shared<logging::FileHandler>(path)});
  logger_.add_handler(handler);
  const std::int64_t each = rounds(5'000);
  log_from_all(each, [&](Dice&) {
    listener.start();
    std::this_thread::yield();
    listener.stop();
    // Those who wait for room go on with the next listener; the last ones with this.
    if (queue->full()) {
      listener.start();
      static_cast<void>(handler->flush(std::chrono::milliseconds(1)));
      listener.stop();
    }
  });
  listener.start();
  EXPECT_TRUE(handler->flush(conc::forever));
  EXPECT_EQ(handler->dropped(), 0U);
  EXPECT_EQ(handler->lost(), 0U);
  EXPECT_EQ(queue->size(), 0U);
  listener.stop();
  expect_whole_and_in_order(path, each);
}

TEST_F(LoggingStress, RecordsThatAQueueDropsAreCountedExactly) {
  // Counts what arrives.
  class Counting : public logging::Handler {
   public:
    std::atomic<std::uint64_t> count{0};

   private:
    void emit(const logging::LogRecord&, std::string_view) override { ++count; }
  };
  for (const auto overflow : {logging::Overflow::drop_newest, logging::Overflow::drop_oldest}) {
    const auto queue = std::make_shared<logging::RecordQueue>(8);
    const auto handler = std::make_shared<logging::QueueHandler>(queue, overflow);
    const auto counting = std::make_shared<Counting>();
    logging::QueueListener listener(queue, {counting});
    logger_.add_handler(handler);
    const std::int64_t each = rounds(5'000);
    log_from_all(each, [&](Dice&) {
      listener.start();
      std::this_thread::yield();
      listener.stop();
    });
    listener.start();
    EXPECT_TRUE(handler->flush(conc::forever));
    EXPECT_EQ(counting->count + handler->dropped(), writers * static_cast<std::uint64_t>(each));
    EXPECT_EQ(queue->size(), 0U);
    logger_.remove_handler(handler);
  }
}

TEST_F(LoggingStress, RotatedFilesHoldEveryLineOnceAndWhole) {
  const fs::path path = directory_ / "rotated.log";
  const std::int64_t each = rounds(2'000);
  const auto handler = std::make_shared<logging::RotatingFileHandler>(
      path, logging::RotatingOptions{.max_bytes = 100'000, .backup_count = 1'000'000});
  logger_.add_handler(handler);
  handler->roll();  // an empty file is rolled over too
  log_from_all(each, [&](Dice& dice) {
    if (dice.roll(50) == 0) handler->roll();
    std::this_thread::yield();
  });
  EXPECT_EQ(handler->lost(), 0U);
  handler->flush();
  // From the oldest to the newest they are one file; some of them may be empty.
  std::size_t files = 0;
  while (fs::exists(path.string() + "." + std::to_string(files + 1))) ++files;
  const fs::path all = directory_ / "all.log";
  {
    std::ofstream out(all);
    const auto append = [&out](const fs::path& part) {
      std::ifstream in(part);
      std::copy(std::istreambuf_iterator<char>(in), {}, std::ostreambuf_iterator<char>(out));
    };
    for (std::size_t i = files; i != 0; --i) append(path.string() + "." + std::to_string(i));
    append(path);
    ASSERT_TRUE(out.flush());
  }
  EXPECT_GE(files, 1U);
  expect_whole_and_in_order(all, each);
}

}  // namespace

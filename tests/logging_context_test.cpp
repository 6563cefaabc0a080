#include <conc/inline_executor.hpp>
#include <conc/logging/context.hpp>
#include <conc/logging/logger_adapter.hpp>
#include <conc/thread_pool_executor.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gate.hpp"
#include "logging_fixture.hpp"

namespace conc::test {
namespace {

using logging::Context;
using logging::field;
using logging::get_logger;
using logging::Logger;
using logging::LoggerAdapter;

class ContextTest : public LoggingTest {
 protected:
  void SetUp() override {
    LoggingTest::SetUp();
    logger.set_propagate(false);
    kept = keep(logger, "%(message)s|%(context)s");
  }

  Logger& logger = get_logger("context");
  std::shared_ptr<KeepingHandler> kept;
};

class LoggerAdapterTest : public LoggingTest {};

TEST_F(ContextTest, RecordsHaveItAsLongAsItLives) {
  logger.warning("before");
  {
    const Context context{{"request", 17}, {"user", std::string("ann")}};
    logger.warning("inside");
  }
  logger.warning("after");
  EXPECT_EQ(kept->lines(), (Lines{"before|", "inside|request=17 user=ann", "after|"}));
}

TEST_F(ContextTest, InnerOnesAddToTheOuterAndHideTheirNames) {
  const Context outer{{"a", 1}, {"b", 1}};
  {
    const Context inner{{"b", 2}, {"c", 2}};
    logger.warning("inner");
  }
  logger.warning("outer");
  EXPECT_EQ(kept->lines(), (Lines{"inner|a=1 b=2 c=2", "outer|a=1 b=1"}));
}

TEST_F(ContextTest, TextIsCopied) {
  std::optional<Context> context;
  {
    std::string text = "text that is gone when the record is made, and not a short one";
    context.emplace(std::initializer_list<logging::FieldItem>{{"text", text}});
  }
  logger.warning("m");
  EXPECT_EQ(kept->lines(),
            (Lines{"m|text=\"text that is gone when the record is made, and not a short one\""}));
}

TEST_F(ContextTest, BelongsToItsThread) {
  const Context context{{"a", 1}};
  std::thread([&] { logger.warning("other thread"); }).join();
  EXPECT_EQ(kept->lines(), (Lines{"other thread|"}));
}

TEST_F(ContextTest, FollowsWhatIsSubmittedAndLeavesTheWorkerWithIt) {
  ThreadPoolExecutor pool(1);
  Future<void> task;
  {
    const Context context{{"request", 1}};
    task = pool.submit([&] { logger.warning("submitted"); });
    pool.post([&] { logger.warning("posted"); });
    const std::vector<int> numbers{1};
    for (const auto& future : pool.submit_each([&](int) { logger.warning("each"); }, numbers)) {
      future.wait();
    }
  }
  task.wait();
  pool.submit([&] { logger.warning("without"); }).wait();
  pool.shutdown();
  EXPECT_EQ(kept->lines(),
            (Lines{"submitted|request=1", "posted|request=1", "each|request=1", "without|"}));
}

TEST_F(ContextTest, FollowsIntoATaskOfATaskAndIntoContinuations) {
  ThreadPoolExecutor pool(2);
  Future<void> last;
  {
    const Context context{{"request", 1}};
    last = pool.submit([&] {
                 const Context inner{{"step", 2}};
                 pool.submit([&] { logger.warning("nested"); }).wait();
                 logger.warning("task");
               })
               .then([&](const Future<void>&) { logger.warning("then"); });
  }
  last.wait();
  EXPECT_EQ(kept->lines(),
            (Lines{"nested|request=1 step=2", "task|request=1 step=2", "then|request=1"}));
}

TEST_F(ContextTest, TasksThatThrowAreDroppedOrCancelledLeaveNothingBehind) {
  InlineExecutor executor;
  {
    ThreadPoolExecutor pool(1);
    const Context context{{"request", 1}};
    pool.submit([] { throw std::runtime_error("no"); }).wait();
    executor.submit([] { throw std::runtime_error("no"); }).wait();
    for (int i = 0; i < 10; ++i) {
      pool.post([] {});
      static_cast<void>(pool.submit([] {}).cancel());
    }
    pool.shutdown(true, true);
    EXPECT_THROW(pool.post([] {}), UsageError);
    EXPECT_THROW(static_cast<void>(pool.submit([] {})), UsageError);
  }
  logger.warning("m");
  EXPECT_EQ(kept->lines(), (Lines{"m|"}));
}

TEST_F(ContextTest, ManyThreadsSubmitTheirOwn) {
  ThreadPoolExecutor pool(3);
  constexpr std::size_t threads = 4;
  constexpr int each = 200;
  together(threads, [&](std::size_t i) {
    std::vector<Future<void>> futures;
    for (int n = 0; n < each; ++n) {
      const Context context{{"from", i}, {"n", n}};
      futures.push_back(pool.submit([this, i, n] { logger.warning("from={} n={}", i, n); }));
      pool.post([this, i, n] { logger.warning("from={} n={}", i, n); });
    }
    for (const auto& future : futures) future.wait();
  });
  pool.shutdown();
  const Lines lines = kept->lines();
  EXPECT_EQ(lines.size(), 2 * threads * each);
  for (const std::string& line : lines) {
    const std::size_t bar = line.find('|');
    EXPECT_EQ(line.substr(0, bar), line.substr(bar + 1));
  }
}

TEST_F(LoggerAdapterTest, ItsFieldsStandBeforeThoseOfTheCall) {
  Logger& logger = get_logger("adapter");
  logger.set_propagate(false);
  const auto kept = keep(logger, "%(levelname)s %(message)s|%(fields)s");
  std::optional<LoggerAdapter> log;
  {
    const std::string customer = "a customer whose name is not a short one";
    log.emplace(logger, std::initializer_list<logging::FieldItem>{{"customer", customer}});
  }
  log->info("below the level");
  log->warning("paid {}", 3, field("method", "card"));
  log->error("no fields");
  const LoggerAdapter inner(*log, {{"step", 2}});
  inner.critical("inner", field("step", 3));
  try {
    throw 1;
  } catch (int) {
    inner.exception("caught");
  }
  EXPECT_FALSE(log->is_enabled_for(logging::Level::info));
  EXPECT_EQ(&inner.logger(), &logger);
  EXPECT_EQ(
      kept->lines(),
      (Lines{"WARNING paid 3|customer=\"a customer whose name is not a short one\" method=card",
             "ERROR no fields|customer=\"a customer whose name is not a short one\"",
             "CRITICAL inner|customer=\"a customer whose name is not a short one\" step=3",
             "ERROR caught|customer=\"a customer whose name is not a short one\" step=2\nint"}));
}

TEST_F(LoggerAdapterTest, RecordsSayWhereTheCallIs) {
  Logger& logger = get_logger("adapter.site");
  const auto kept = keep(logger);
  const LoggerAdapter log(logger, {{"a", 1}});
  const int line = __LINE__ + 1;
  log.warning("here");
  const auto records = kept->take_records();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].record().lineno, static_cast<unsigned>(line));
}

}  // namespace
}  // namespace conc::test

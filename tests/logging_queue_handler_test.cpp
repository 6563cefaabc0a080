#include <conc/barrier.hpp>
#include <conc/errors.hpp>
#include <conc/event.hpp>
#include <conc/logging/queue_handler.hpp>
#include <conc/logging/queue_listener.hpp>
#include <conc/thread.hpp>
#include <conc/thread_info.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "asleep.hpp"
#include "eventually.hpp"
#include "gate.hpp"
#include "logging_fixture.hpp"

namespace conc::test {
namespace {

using logging::get_logger;
using logging::Level;
using logging::Logger;
using logging::LogRecord;
using logging::Overflow;
using logging::QueueHandler;
using logging::QueueListener;
using logging::RecordQueue;

// Waits in emit() until it is let go; so a test decides when the queue is emptied.
class Held : public logging::Handler {
 public:
  Event entered{"entered"};
  Event go{"go"};
  std::atomic<int> emitted{0};

 private:
  void emit(const LogRecord&, std::string_view) override {
    entered.set();
    go.wait();
    ++emitted;
  }
};

class QueueHandlerTest : public LoggingTest {
 protected:
  // A handler on the logger, whose queue has room for `maxsize` records.
  void put_on(Logger& logger, std::size_t maxsize = 0, Overflow overflow = Overflow::block) {
    queue = std::make_shared<RecordQueue>(maxsize);
    handler = std::make_shared<QueueHandler>(queue, overflow);
    logger.add_handler(handler);
    logger.set_propagate(false);
  }

  [[nodiscard]] Lines messages_in_queue() const {
    Lines messages;
    while (const auto one = queue->try_get()) messages.emplace_back(one->record().message);
    return messages;
  }

  std::shared_ptr<RecordQueue> queue;
  std::shared_ptr<QueueHandler> handler;
  std::shared_ptr<KeepingHandler> kept = std::make_shared<KeepingHandler>();
};

TEST(QueueListenerOfAQueue, HandlerMayStopAnotherListenerOfTheSameQueue) {
  const auto queue = std::make_shared<logging::RecordQueue>();
  logging::QueueListener other(queue, {});
  struct Stopper final : logging::Handler {
    explicit Stopper(logging::QueueListener& whom) : Handler(Wants::record), listener(whom) {}
    void emit(const logging::LogRecord&, std::string_view) override { listener.stop(); }
    logging::QueueListener& listener;
  };
  const auto stopper = std::make_shared<Stopper>(other);
  logging::QueueListener listener(queue, {stopper});
  logging::QueueHandler(queue).handle({.message = "m"});
  listener.start();
  listener.stop();
  EXPECT_EQ(stopper->lost(), 0u);
}

TEST_F(QueueHandlerTest, NullIsNoQueueAndNoHandler) {
  EXPECT_THROW(QueueHandler(nullptr), std::invalid_argument);
  EXPECT_THROW(QueueListener(nullptr, {}), std::invalid_argument);
  EXPECT_THROW(QueueListener(std::make_shared<RecordQueue>(), {nullptr}), std::invalid_argument);
}

TEST_F(QueueHandlerTest, RecordInTheQueueIsWholeAndOutlivesTheCall) {
  Logger& logger = get_logger("queued.whole");
  put_on(logger);
  {
    const std::string text = "text that is gone when the record is looked at, and not a short one";
    logger.warning("{}", text);
  }
  const auto record = queue->try_get();
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->record().message,
            "text that is gone when the record is looked at, and not a short one");
  EXPECT_EQ(record->record().name, "queued.whole");
  EXPECT_EQ(record->record().level, Level::warning);
}

TEST_F(QueueHandlerTest, ListenerHandsRecordsOnInOrderAndAsTheyWereMade) {
  Logger& logger = get_logger("queued.order");
  put_on(logger);
  kept->set_formatter(std::make_shared<logging::Formatter>("%(threadName)s %(message)s"));
  QueueListener listener(queue, {kept});
  listener.start();
  for (int i = 0; i < 100; ++i) logger.warning("{}", i);
  EXPECT_TRUE(handler->flush(forever));
  Lines expected;
  for (int i = 0; i < 100; ++i) expected.push_back("MainThread " + std::to_string(i));
  EXPECT_EQ(kept->lines(), expected);
  EXPECT_EQ(queue->size(), 0u);
}

TEST_F(QueueHandlerTest, ListenerAtRestIsWokenByTheNextRecord) {
  Logger& logger = get_logger("queued.rest");
  put_on(logger);
  QueueListener listener(queue, {kept});
  listener.start();
  Lines expected;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(eventually_waiting(*queue, 1)) << "the listener looks and looks";
    logger.warning("{}", i);
    EXPECT_TRUE(handler->flush(forever));
    expected.push_back(std::to_string(i));
    EXPECT_EQ(kept->lines(), expected);
  }
}

TEST_F(QueueHandlerTest, ThreadOfTheListenerEndsWhenTheQueueIsShutDown) {
  for (const std::size_t maxsize : {std::size_t{0}, std::size_t{4}}) {
    Logger& logger = get_logger("queued.ends");
    put_on(logger, maxsize);
    QueueListener listener(queue, {kept});
    listener.start();
    logger.warning("before");
    queue->shutdown();
    EXPECT_TRUE(eventually([] {
      const auto threads = conc::enumerate();
      return std::none_of(threads.begin(), threads.end(), [](const ThreadInfo& thread) {
        return thread.name == "logging.QueueListener";
      });
    }));
    EXPECT_EQ(kept->lines().back(), "before");
    logger.remove_handler(handler);
  }
  EXPECT_EQ(kept->lines(), (Lines{"before", "before"}));
}

TEST_F(QueueHandlerTest, WhatWasLoggedBeforeTheStartIsHandledToo) {
  Logger& logger = get_logger("queued.before");
  put_on(logger);
  logger.warning("early");
  QueueListener listener(queue, {kept});
  listener.start();
  listener.stop();
  EXPECT_EQ(kept->lines(), (Lines{"early"}));
}

TEST_F(QueueHandlerTest, StopHandlesWhatIsInTheQueueAndTheListenerCanStartAgain) {
  Logger& logger = get_logger("queued.again");
  put_on(logger);
  QueueListener listener(queue, {kept});
  for (int round = 0; round < 3; ++round) {
    EXPECT_FALSE(listener.running());
    listener.start();
    EXPECT_TRUE(listener.running());
    logger.warning("in round {}", round);
    listener.stop();
    EXPECT_EQ(kept->lines().size(), static_cast<std::size_t>(2 * round + 1));
    logger.warning("after round {}", round);
    if (round == 2) break;
    listener.start();
    listener.stop();
  }
  listener.stop();
  EXPECT_EQ(messages_in_queue(), (Lines{"after round 2"}));
}

TEST_F(QueueHandlerTest, ListenerStartedTwiceIsAUsageErrorAndGoesOn) {
  Logger& logger = get_logger("queued.twice");
  put_on(logger);
  QueueListener listener(queue, {kept});
  listener.start();
  EXPECT_THROW(listener.start(), UsageError);
  logger.warning("w");
  listener.stop();
  EXPECT_EQ(kept->lines(), (Lines{"w"}));
}

TEST_F(QueueHandlerTest, ListenerIsStoppedByItsDestructor) {
  Logger& logger = get_logger("queued.raii");
  put_on(logger);
  {
    QueueListener listener(queue, {kept});
    listener.start();
    for (int i = 0; i < 10; ++i) logger.warning("w");
  }
  EXPECT_EQ(kept->lines().size(), 10u);
}

TEST_F(QueueHandlerTest, StopEndsThoughOthersKeepLogging) {
  Logger& logger = get_logger("queued.busy");
  put_on(logger, 64);
  QueueListener listener(queue, {std::make_shared<logging::NullHandler>()});
  std::atomic<bool> enough{false};
  std::thread busy([&] {
    while (!enough) logger.warning("w");
  });
  for (int i = 0; i < 20; ++i) {
    listener.start();
    listener.stop();
  }
  enough = true;
  listener.start();  // it makes room for the thread's last record
  busy.join();
  EXPECT_TRUE(handler->flush(forever));
}

TEST_F(QueueHandlerTest, ListenerAsksForTheHandlersLevelsOnlyWhenToldSo) {
  Logger& logger = get_logger("queued.levels");
  logger.set_level(Level::debug);
  put_on(logger);
  kept->set_level(Level::error);
  for (const bool respect : {false, true}) {
    QueueListener listener(queue, {kept}, {.respect_handler_level = respect});
    listener.start();
    logger.warning("warning, {}", respect);
    logger.error("error, {}", respect);
  }
  EXPECT_EQ(kept->lines(), (Lines{"warning, false", "error, false", "error, true"}));
}

TEST_F(QueueHandlerTest, BlockWaitsForRoomAndLosesNothing) {
  Logger& logger = get_logger("queued.block");
  put_on(logger, 2);
  constexpr std::size_t threads = 4;
  constexpr int each = 250;
  {
    QueueListener listener(queue, {kept});
    listener.start();
    together(threads, [&](std::size_t i) {
      for (int n = 0; n < each; ++n) logger.warning("{}:{}", i, n);
    });
  }
  EXPECT_EQ(kept->lines().size(), threads * each);
  EXPECT_EQ(handler->dropped(), 0u);
  EXPECT_EQ(handler->lost(), 0u);
  int next[threads] = {};
  for (const std::string& line : kept->lines()) {
    const auto thread = static_cast<std::size_t>(line[0] - '0');
    EXPECT_EQ(line, std::to_string(thread) + ":" + std::to_string(next[thread]++));
  }
}

TEST_F(QueueHandlerTest, BlockedCallGoesOnWhenThereIsRoom) {
  Logger& logger = get_logger("queued.blocked");
  put_on(logger, 1);
  logger.warning("1");
  std::thread blocked([&] { logger.warning("2"); });
  ASSERT_TRUE(eventually_waiting(*queue, 1));
  EXPECT_EQ(queue->get().record().message, "1");
  blocked.join();
  EXPECT_EQ(messages_in_queue(), (Lines{"2"}));
}

TEST_F(QueueHandlerTest, DropNewestKeepsWhatIsThereAndCounts) {
  Logger& logger = get_logger("queued.newest");
  put_on(logger, 2, Overflow::drop_newest);
  for (int i = 1; i <= 5; ++i) logger.warning("{}", i);
  EXPECT_EQ(handler->dropped(), 3u);
  EXPECT_EQ(messages_in_queue(), (Lines{"1", "2"}));
}

TEST_F(QueueHandlerTest, DropOldestKeepsTheLatestAndCounts) {
  Logger& logger = get_logger("queued.oldest");
  put_on(logger, 2, Overflow::drop_oldest);
  for (int i = 1; i <= 5; ++i) logger.warning("{}", i);
  EXPECT_EQ(handler->dropped(), 3u);
  EXPECT_EQ(messages_in_queue(), (Lines{"4", "5"}));
}

TEST_F(QueueHandlerTest, DroppedAndHandledAreAllThatWereLogged) {
  for (const Overflow overflow : {Overflow::drop_newest, Overflow::drop_oldest}) {
    Logger& logger =
        get_logger(overflow == Overflow::drop_newest ? "exact.newest" : "exact.oldest");
    put_on(logger, 8, overflow);
    const auto receiver = std::make_shared<KeepingHandler>();
    QueueListener listener(queue, {receiver});
    listener.start();
    constexpr std::size_t threads = 4;
    constexpr int each = 500;
    together(threads, [&](std::size_t) {
      for (int n = 0; n < each; ++n) logger.warning("w");
    });
    EXPECT_TRUE(handler->flush(forever));
    EXPECT_EQ(receiver->lines().size() + handler->dropped(), threads * each);
    EXPECT_EQ(handler->lost(), 0u);
    EXPECT_EQ(queue->size(), 0u);
  }
}

TEST_F(QueueHandlerTest, FlushWaitsForTheHandlersAndGivesUpInTime) {
  Logger& logger = get_logger("queued.flush");
  put_on(logger);
  EXPECT_TRUE(handler->flush(at_once));
  const auto held = std::make_shared<Held>();
  QueueListener listener(queue, {held});
  listener.start();
  logger.warning("w");
  held->entered.wait();
  EXPECT_TRUE(queue->empty());
  EXPECT_FALSE(handler->flush(at_once));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(handler->flush(std::chrono::milliseconds(20)));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(20));
  held->go.set();
  EXPECT_TRUE(handler->flush(forever));
  EXPECT_EQ(held->emitted, 1);
}

TEST_F(QueueHandlerTest, ListenersOwnRecordsNeverWaitForRoomInItsQueue) {
  Logger& logger = get_logger("queued.own");
  put_on(logger, 1);
  class Chatty : public logging::Handler {
   public:
    explicit Chatty(Logger& logger) : logger_(logger) {}

   private:
    void emit(const LogRecord& record, std::string_view) override {
      if (record.message == "outer") {
        for (int i = 0; i < 3; ++i) logger_.warning("inner");
      }
    }
    Logger& logger_;
  };
  QueueListener listener(queue, {std::make_shared<Chatty>(logger), kept});
  logger.warning("outer");
  listener.start();
  ASSERT_TRUE(eventually([&] { return kept->lines().size() == 2; }));
  listener.stop();
  EXPECT_EQ(kept->lines(), (Lines{"outer", "inner"}));
  EXPECT_EQ(handler->dropped(), 2u);
}

TEST_F(QueueHandlerTest, ListenersThatLogIntoEachOthersQueuesDoNotDeadlock) {
  class Crossing : public logging::Handler {
   public:
    explicit Crossing(Logger& other) : other_(other) {}

   private:
    void emit(const LogRecord&, std::string_view) override {
      for (int i = 0; i < 3; ++i) other_.warning("crossing");
    }
    Logger& other_;
  };
  Logger& a = get_logger("queued.a");
  Logger& b = get_logger("queued.b");
  put_on(a, 1);
  const auto queue_a = queue;
  const auto handler_a = handler;
  put_on(b, 1);
  QueueListener listener_a(queue_a, {std::make_shared<Crossing>(b), kept});
  QueueListener listener_b(queue, {std::make_shared<Crossing>(a), kept});
  listener_a.start();
  listener_b.start();
  constexpr int each = 200;
  together(2, [&](std::size_t i) {
    for (int n = 0; n < each; ++n) (i == 0 ? a : b).warning("w");
  });
  a.remove_handler(handler_a);  // or they would go on for ever
  b.remove_handler(handler);
  EXPECT_TRUE(handler_a->flush(forever));
  EXPECT_TRUE(handler->flush(forever));
  EXPECT_GE(kept->lines().size(), 2u * each);
}

TEST_F(QueueHandlerTest, StoppedByItsOwnHandlerIsAUsageError) {
  Logger& logger = get_logger("queued.suicide");
  put_on(logger);
  QueueListener* of_handler = nullptr;
  class Stopping : public logging::Handler {
   public:
    explicit Stopping(QueueListener*& listener) : listener_(listener) {}
    std::atomic<int> refused{0};

   private:
    void emit(const LogRecord&, std::string_view) override {
      try {
        listener_->stop();
      } catch (const UsageError&) {
        ++refused;
      }
    }
    QueueListener*& listener_;
  };
  const auto stopping = std::make_shared<Stopping>(of_handler);
  QueueListener listener(queue, {stopping});
  of_handler = &listener;
  listener.start();
  logger.warning("w");
  listener.stop();
  EXPECT_EQ(stopping->refused, 1);
}

TEST_F(QueueHandlerTest, StartedByItsOwnHandlerWhileItIsStoppedIsAUsageError) {
  class Starting : public logging::Handler {
   public:
    QueueListener* listener = nullptr;
    std::atomic<int> refused{0};

   private:
    void emit(const LogRecord&, std::string_view) override {
      ASSERT_TRUE(eventually([] { return test::asleep("stopper"); }));
      EXPECT_THROW(listener->start(), UsageError);
      ++refused;
    }
  };
  Logger& logger = get_logger("queued.restarted");
  put_on(logger);
  const auto starting = std::make_shared<Starting>();
  QueueListener listener(queue, {starting});
  starting->listener = &listener;
  listener.start();
  logger.warning("w");
  Thread stopper({.name = "stopper"}, [&] { listener.stop(); });
  stopper.start();
  stopper.join();
  EXPECT_EQ(starting->refused, 1);
  EXPECT_EQ(starting->lost(), 0u);
  listener.start();
  listener.stop();
}

// Has the last reference to a listener go in the listener's own thread: with the record in which it
// is told to, or with the thread.
class Owning : public logging::Handler {
 public:
  Event entered{"entered"};
  Event go{"go"};
  std::shared_ptr<QueueListener> listener;
  bool keep_in_thread = false;
  std::atomic<int> emitted{0};
  std::atomic<int> flushed{0};

 private:
  void emit(const LogRecord&, std::string_view) override {
    entered.set();
    go.wait();
    if (keep_in_thread) {
      thread_local std::shared_ptr<QueueListener> kept;
      kept = std::move(listener);
    } else {
      listener.reset();
    }
    ++emitted;
  }
  void on_flush() override { ++flushed; }
};

TEST_F(QueueHandlerTest, ListenerMayBeDestroyedByItsOwnHandler) {
  Logger& logger = get_logger("queued.last");
  put_on(logger);
  const auto owning = std::make_shared<Owning>();
  owning->listener = std::make_shared<QueueListener>(
      queue, std::vector<std::shared_ptr<logging::Handler>>{owning, kept});
  owning->listener->start();
  logger.warning("1");
  owning->entered.wait();
  for (int i = 2; i <= 100; ++i) logger.warning("{}", i);
  owning->go.set();
  // The thread alone has it besides, until it ends.
  EXPECT_TRUE(eventually([&] { return owning.use_count() == 1; }));
  EXPECT_EQ(owning->emitted, 100);
  EXPECT_EQ(owning->flushed, 1);
  EXPECT_EQ(owning->lost(), 0u);
  EXPECT_EQ(kept->lines().size(), 100u);
  EXPECT_TRUE(handler->flush(at_once));
  logger.warning("later");
  EXPECT_EQ(messages_in_queue(), (Lines{"later"}));
}

TEST_F(QueueHandlerTest, ListenerMayBeDestroyedWithWhatItsThreadHasOfItsOwn) {
  Logger& logger = get_logger("queued.kept");
  put_on(logger);
  const auto owning = std::make_shared<Owning>();
  owning->keep_in_thread = true;
  owning->listener = std::make_shared<QueueListener>(
      queue, std::vector<std::shared_ptr<logging::Handler>>{owning});
  owning->listener->start();
  logger.warning("1");
  owning->go.set();
  EXPECT_TRUE(handler->flush(forever));
  queue->shutdown();
  EXPECT_TRUE(eventually([&] { return owning.use_count() == 1; }));
  EXPECT_EQ(owning->emitted, 1);
  EXPECT_EQ(owning->flushed, 1);
}

// What the thread that logs puts into the queue is not yet formatted, most often.
TEST_F(QueueHandlerTest, MessageLooksAsIfItHadBeenFormattedAtOnce) {
  Logger& logger = get_logger("queued.later");
  put_on(logger);
  {
    std::string text = "a text of its own";
    char letters[] = "letters";
    const char* const pointer = letters;
    logger.warning("{} {} {} {}", text, letters, pointer, "literal");
    logger.warning("{}{}{}", 'c', true, false);
    logger.warning("{} {} {} {}", -1, 2U, std::numeric_limits<std::int64_t>::min(),
                   std::numeric_limits<std::uint64_t>::max());
    logger.warning("{} and {}", 12.5, 1e-300);
    logger.warning("{:>5}|{:.1f}", 7, 2.25);
    logger.warning("{}{}{}{}{}{}{}{}", 1, 2, 3, 4, 5, 6, 7, text);
    logger.warning("{}", std::string(2000, 'x'));
    logger.warning("{}", std::string(500, 'y'));
    logger.warning("plain");
    logger.warning("{}", "");
    text.assign(text.size(), '-');
    std::fill(std::begin(letters), std::end(letters), '-');
  }
  EXPECT_EQ(messages_in_queue(),
            (Lines{"a text of its own letters letters literal", "ctruefalse",
                   "-1 2 -9223372036854775808 18446744073709551615", "12.5 and 1e-300", "    7|2.2",
                   "1234567a text of its own", std::string(2000, 'x'), std::string(500, 'y'),
                   "plain", ""}));
}

TEST_F(QueueHandlerTest, RecordHasEverythingElseBesideItsMessage) {
  Logger& logger = get_logger("queued.rest_of_it");
  put_on(logger);
  {
    const logging::Context context{{"request", std::string("of a request")}};
    try {
      throw std::runtime_error("why");
    } catch (const std::runtime_error&) {
      logger.exception("{} of {}", std::string("one"), 2, logging::field("size", 3),
                       logging::field("place", std::string("in a far away place")));
    }
  }
  const auto record = queue->try_get();
  ASSERT_TRUE(record.has_value());
  const LogRecord& seen = record->record();
  EXPECT_EQ(seen.message, "one of 2");
  EXPECT_EQ(seen.exception, "std::runtime_error: why");
  ASSERT_EQ(seen.fields.size(), 2u);
  EXPECT_EQ(seen.fields[0].name, "size");
  EXPECT_EQ(std::get<std::string_view>(seen.fields[1].value), "in a far away place");
  ASSERT_EQ(seen.context.size(), 1u);
  EXPECT_EQ(std::get<std::string_view>(seen.context[0].value), "of a request");
  EXPECT_EQ(seen.name, "queued.rest_of_it");
  EXPECT_EQ(seen.thread_name, "MainThread");
  EXPECT_EQ(seen.own().record().message, "one of 2");
}

TEST_F(QueueHandlerTest, HandlersBeforeAndBehindSeeTheMessage) {
  Logger& logger = get_logger("queued.between");
  const auto before = keep(logger);
  put_on(logger);
  const auto behind = keep(logger);
  logger.warning("{} of {}", 1, 2.5);
  EXPECT_EQ(before->lines(), Lines{"1 of 2.5"});
  EXPECT_EQ(behind->lines(), Lines{"1 of 2.5"});
  logger.remove_handler(before);
  logger.warning("{} of {}", 2, 2.5);
  EXPECT_EQ(behind->lines(), (Lines{"1 of 2.5", "2 of 2.5"}));
  EXPECT_EQ(messages_in_queue(), (Lines{"1 of 2.5", "2 of 2.5"}));
}

TEST_F(QueueHandlerTest, FiltersSeeTheMessage) {
  Logger& logger = get_logger("queued.filtered");
  put_on(logger);
  Lines seen;
  const auto note = std::make_shared<logging::Filter>([&](const LogRecord& record) {
    seen.emplace_back(record.message);
    return true;
  });
  const auto change = std::make_shared<logging::Filter>([](const LogRecord& record) {
    LogRecord changed = record;
    const std::string text = "changed " + std::string(record.message);
    changed.message = text;
    return std::optional(changed.own());
  });
  logger.add_filter(note);
  logger.warning("{} of {}", 1, 2);
  logger.add_filter(change);
  logger.warning("{} of {}", 3, 4);
  logger.remove_filter(note);
  logger.remove_filter(change);
  handler->add_filter(change);
  handler->add_filter(note);
  logger.warning("{} of {}", 5, 6);
  EXPECT_EQ(seen, (Lines{"1 of 2", "3 of 4", "changed 5 of 6"}));
  EXPECT_EQ(messages_in_queue(), (Lines{"1 of 2", "changed 3 of 4", "changed 5 of 6"}));
}

TEST_F(QueueHandlerTest, DerivedHandlerIsGivenFinishedRecords) {
  struct Noting final : QueueHandler {
    using QueueHandler::QueueHandler;
    void emit(const LogRecord& record, std::string_view line) override {
      seen.emplace_back(record.message);
      QueueHandler::emit(record, line);
    }
    Lines seen;
  };
  Logger& logger = get_logger("queued.derived");
  logger.set_propagate(false);
  queue = std::make_shared<RecordQueue>();
  const auto noting = std::make_shared<Noting>(queue);
  logger.add_handler(noting);
  logger.warning("{} of {}", 1, std::string("two"));
  EXPECT_EQ(noting->seen, Lines{"1 of two"});
  EXPECT_EQ(messages_in_queue(), Lines{"1 of two"});
}

// Who is behind finds records finished, and so comes to the one that another is just finishing.
TEST_F(QueueHandlerTest, OneRecordMayBeLookedAtByManyThreadsAtOnce) {
  Logger& logger = get_logger("queued.looked_at");
  put_on(logger);
  constexpr std::size_t number = 2000;
  Lines expected;
  for (std::size_t i = 0; i < number; ++i) {
    logger.warning("{} and {} and {}", i, 0.5, std::string("some text"));
    expected.push_back(std::to_string(i) + " and 0.5 and some text");
  }
  const std::vector<logging::OwnedRecord> records = queue->try_get_many(number, at_once);
  ASSERT_EQ(records.size(), number);
  std::vector<Lines> seen(3);
  Barrier together(seen.size());
  std::vector<std::thread> lookers;
  for (Lines& mine : seen) {
    lookers.emplace_back([&] {
      mine.reserve(number);
      together.wait();
      for (const logging::OwnedRecord& one : records) mine.emplace_back(one.record().message);
    });
  }
  for (std::thread& looker : lookers) looker.join();
  for (const Lines& one : seen) EXPECT_EQ(one, expected);
}

TEST_F(QueueHandlerTest, LostRecordHasPassedTheFilters) {
  queue = std::make_shared<RecordQueue>();
  queue->shutdown();
  QueueHandler closed(queue);
  ::testing::internal::CaptureStderr();
  EXPECT_TRUE(closed.handle({.message = "m"}));
  ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(closed.lost(), 1u);
}

TEST_F(QueueHandlerTest, RecordForAQueueThatIsShutDownIsLostAndSaidSo) {
  for (const Overflow overflow : {Overflow::block, Overflow::drop_oldest}) {
    Logger& logger = get_logger("queued.down");
    put_on(logger, 4, overflow);
    logger.warning("before");
    queue->shutdown();
    ::testing::internal::CaptureStderr();
    logger.warning("after");
    const std::string report = ::testing::internal::GetCapturedStderr();
    EXPECT_NE(report.find("ShutDown"), std::string::npos) << report;
    EXPECT_EQ(handler->lost(), 1u);
    EXPECT_EQ(messages_in_queue(), (Lines{"before"}));
    logger.remove_handler(handler);
  }
}

TEST_F(QueueHandlerTest, ClosedHandlerWaitsForNoRoomButForTheListener) {
  Logger& logger = get_logger("queued.closed");
  put_on(logger, 1);
  handler->close();
  logger.warning("1");
  logger.warning("2");  // would wait for ever
  EXPECT_EQ(handler->dropped(), 1u);
  QueueListener listener(queue, {kept});
  listener.start();
  ASSERT_TRUE(eventually([this] { return queue->empty(); }));  // or there is no room for it
  logger.warning("3");
  const Lines lines = kept->lines();
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines.back(), "3");
}

TEST_F(QueueHandlerTest, AtExitAllThatWasLoggedIsHandled) {
  const auto log_and_exit = [] {
    const auto records = std::make_shared<RecordQueue>();
    static auto* const listener =
        new QueueListener(records, {std::make_shared<logging::StreamHandler>()});
    listener->start();
    get_logger("exit").add_handler(std::make_shared<QueueHandler>(records));
    for (int i = 1; i <= 1000; ++i) get_logger("exit").warning("line {} of 1000", i);
    std::exit(0);
  };
  EXPECT_EXIT(log_and_exit(), ::testing::ExitedWithCode(0), "line 1000 of 1000");
}

}  // namespace
}  // namespace conc::test

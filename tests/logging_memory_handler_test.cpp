#include <conc/event.hpp>
#include <conc/logging/memory_handler.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "allocations.hpp"
#include "eventually.hpp"
#include "gate.hpp"
#include "logging_fixture.hpp"

namespace conc::test {
namespace {

using logging::get_logger;
using logging::Level;
using logging::Logger;
using logging::LogRecord;
using logging::MemoryHandler;

class MemoryHandlerTest : public LoggingTest {
 protected:
  static void info(logging::Handler& handler, std::string_view message) {
    handler.handle({.level = Level::info, .message = message});
  }
  static void error(logging::Handler& handler, std::string_view message) {
    handler.handle({.level = Level::error, .message = message});
  }

  std::shared_ptr<KeepingHandler> kept = std::make_shared<KeepingHandler>();
};

TEST(MemoryHandlerEnd, WhatIsLeftWhenItIsDestroyedIsSaidToBeLost) {
  ::testing::internal::CaptureStderr();
  {
    logging::MemoryHandler handler(10, std::make_shared<KeepingHandler>());
    handler.handle({.message = "1"});
    handler.handle({.message = "2"});
  }
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("MemoryHandler: 2 records lost so far"), std::string::npos) << said;
}

TEST_F(MemoryHandlerTest, RoomForNothingOrItselfAsTargetIsRefused) {
  EXPECT_THROW(MemoryHandler(0), std::invalid_argument);
  const auto memory = std::make_shared<MemoryHandler>(1);
  EXPECT_THROW(memory->set_target(memory), std::invalid_argument);
}

TEST_F(MemoryHandlerTest, KeepsRecordsUntilOneHasTheFlushLevel) {
  MemoryHandler memory(100, kept);
  info(memory, "1");
  info(memory, "2");
  EXPECT_EQ(kept->lines(), Lines());
  EXPECT_EQ(memory.size(), 2u);
  error(memory, "3");
  EXPECT_EQ(kept->lines(), (Lines{"1", "2", "3"}));
  EXPECT_EQ(memory.size(), 0u);
}

TEST_F(MemoryHandlerTest, FlushLevelCanBeAnother) {
  MemoryHandler memory(100, kept, {.flush_level = Level::critical});
  error(memory, "1");
  EXPECT_EQ(kept->lines(), Lines());
  memory.handle({.level = Level::critical, .message = "2"});
  EXPECT_EQ(kept->lines(), (Lines{"1", "2"}));
}

TEST_F(MemoryHandlerTest, HandsAllOnWhenThereAreAsManyAsItHasRoomFor) {
  MemoryHandler memory(3, kept);
  EXPECT_EQ(memory.capacity(), 3u);
  info(memory, "1");
  info(memory, "2");
  EXPECT_EQ(kept->lines(), Lines());
  info(memory, "3");
  EXPECT_EQ(kept->lines(), (Lines{"1", "2", "3"}));
}

TEST_F(MemoryHandlerTest, RecordThatWasKeptIsWhole) {
  MemoryHandler memory(2, kept);
  {
    const std::string text = "text that is gone when the record is looked at, and not a short one";
    info(memory, text);
  }
  memory.flush();
  EXPECT_EQ(kept->lines(),
            (Lines{"text that is gone when the record is looked at, and not a short one"}));
}

TEST_F(MemoryHandlerTest, FlushHandsOnAndFlushesTheTarget) {
  class Flushed : public logging::Handler {
   public:
    int flushed = 0;

   private:
    void emit(const LogRecord&, std::string_view) override {}
    void on_flush() override { ++flushed; }
  };
  const auto target = std::make_shared<Flushed>();
  MemoryHandler memory(100, target);
  info(memory, "1");
  memory.flush();
  EXPECT_EQ(memory.size(), 0u);
  EXPECT_EQ(target->flushed, 1);
}

TEST_F(MemoryHandlerTest, FlushThatFindsNoMemoryCanBeMadeAgain) {
  MemoryHandler memory(100, kept);
  info(memory, "1");
  int failed = 0;
  for (bool done = false; !done; ++failed) {
    allocations_left = failed;
    try {
      memory.flush();
      done = true;
    } catch (const std::bad_alloc&) {
    }
    done = done && allocations_left >= 0;  // so none has failed
    allocations_left = -1;
  }
  EXPECT_GT(failed, 1);
  EXPECT_EQ(memory.size(), 0u);
  EXPECT_EQ(kept->lines().size() + kept->lost(), 1u);  // the target needs memory as well
}

TEST_F(MemoryHandlerTest, WithoutTargetTheLatestStayAndTheOthersAreCounted) {
  MemoryHandler memory(2);
  for (const char* text : {"1", "2", "3"}) error(memory, text);
  memory.flush();
  EXPECT_EQ(memory.size(), 2u);
  EXPECT_EQ(memory.dropped(), 1u);
  memory.set_target(kept);
  EXPECT_EQ(memory.target(), kept);
  memory.flush();
  EXPECT_EQ(kept->lines(), (Lines{"2", "3"}));
}

TEST_F(MemoryHandlerTest, CloseHandsOnUnlessToldOtherwise) {
  for (const bool flush : {true, false}) {
    const auto target = std::make_shared<KeepingHandler>();
    MemoryHandler memory(100, target, {.flush_on_close = flush});
    info(memory, "1");
    memory.close();
    EXPECT_EQ(target->lines(), flush ? Lines{"1"} : Lines());
    EXPECT_EQ(memory.size(), 0u);
  }
}

TEST_F(MemoryHandlerTest, AfterCloseRecordsGoOnAtOnce) {
  MemoryHandler memory(100, kept);
  memory.close();
  info(memory, "late");
  EXPECT_EQ(kept->lines(), (Lines{"late"}));
}

TEST_F(MemoryHandlerTest, WhatTheTargetLogsDoesNotComeBack) {
  Logger& logger = get_logger("memory.chatty");
  logger.set_propagate(false);
  class Chatty : public logging::Handler {
   public:
    int emitted = 0;

   private:
    void emit(const LogRecord&, std::string_view) override {
      ++emitted;
      get_logger("memory.chatty").error("inner");
    }
  };
  const auto chatty = std::make_shared<Chatty>();
  const auto memory = std::make_shared<MemoryHandler>(100, chatty);
  logger.add_handler(memory);
  logger.add_handler(kept);
  ::testing::internal::CaptureStderr();
  logger.error("outer");
  ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(chatty->emitted, 1);
  EXPECT_EQ(memory->lost(), 1u);
  EXPECT_EQ(kept->lines(), (Lines{"inner", "outer"}));
}

TEST_F(MemoryHandlerTest, RecordsAreKeptWhileAnotherThreadHandsOnAndThenWaitForRoom) {
  class Held : public logging::Handler {
   public:
    Event entered;
    Event go;
    std::atomic<int> emitted{0};

   private:
    void emit(const LogRecord&, std::string_view) override {
      entered.set();
      go.wait();
      ++emitted;
    }
  };
  const auto held = std::make_shared<Held>();
  MemoryHandler memory(2, held);
  std::thread first([&] { error(memory, "1"); });
  held->entered.wait();
  info(memory, "2");
  EXPECT_EQ(memory.size(), 1u);
  std::atomic<int> done{0};
  std::thread second([&] {
    error(memory, "3");  // waits until the first has handed on
    ++done;
  });
  ASSERT_TRUE(eventually([&] { return memory.size() == 2; }));
  std::thread third([&] {
    info(memory, "4");  // no room
    ++done;
  });
  EXPECT_EQ(done, 0);
  held->go.set();
  first.join();
  second.join();
  third.join();
  memory.flush();
  EXPECT_EQ(held->emitted, 4);
  EXPECT_EQ(memory.size(), 0u);
}

TEST_F(MemoryHandlerTest, ManyThreadsLoseNothingAndKeepTheirOrder) {
  MemoryHandler memory(7, kept);
  constexpr std::size_t threads = 4;
  constexpr int each = 300;
  together(threads, [&](std::size_t i) {
    for (int n = 0; n < each; ++n) {
      const std::string text = std::to_string(i) + ":" + std::to_string(n);
      n % 50 == 0 ? error(memory, text) : info(memory, text);
    }
  });
  memory.flush();
  EXPECT_EQ(kept->lines().size(), threads * each);
  int next[threads] = {};
  for (const std::string& line : kept->lines()) {
    const auto thread = static_cast<std::size_t>(line[0] - '0');
    EXPECT_EQ(line, std::to_string(thread) + ":" + std::to_string(next[thread]++));
  }
}

TEST_F(MemoryHandlerTest, HandlersThatLogIntoEachOthersMemoryDoNotDeadlock) {
  Logger& a = get_logger("memory.a");
  Logger& b = get_logger("memory.b");
  class Crossing : public logging::Handler {
   public:
    explicit Crossing(Logger& other) : other_(other) {}
    std::atomic<int> emitted{0};

   private:
    void emit(const LogRecord&, std::string_view) override {
      ++emitted;
      other_.error("crossing");
    }
    Logger& other_;
  };
  const auto at_a = std::make_shared<Crossing>(b);
  const auto at_b = std::make_shared<Crossing>(a);
  const auto memory_a = std::make_shared<MemoryHandler>(1, at_a);
  const auto memory_b = std::make_shared<MemoryHandler>(1, at_b);
  a.add_handler(memory_a);
  b.add_handler(memory_b);
  a.set_propagate(false);
  b.set_propagate(false);
  ::testing::internal::CaptureStderr();
  constexpr int rounds = 300;
  together(2, [&](std::size_t i) {
    for (int n = 0; n < rounds; ++n) (i == 0 ? a : b).error("w");
  });
  memory_a->flush();
  memory_b->flush();
  ::testing::internal::GetCapturedStderr();
  EXPECT_GE(at_a->emitted, rounds);
  EXPECT_GE(at_b->emitted, rounds);
  EXPECT_EQ(memory_a->size(), 0u);
  a.remove_handler(memory_a);
  b.remove_handler(memory_b);
}

}  // namespace
}  // namespace conc::test

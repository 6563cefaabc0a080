#include <conc/logging/record.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace conc::logging {
namespace {

TEST(LogRecord, OwnedCopyKeepsItsText) {
  const std::chrono::system_clock::time_point some_time(std::chrono::seconds(1'717'178'879));
  auto text = std::make_unique<std::string>("a message that is longer than any small buffer");
  const LogRecord record{
      .name = "shop.orders",
      .level = Level::warning,
      .message = *text,
      .exception = "why",
      .pathname = "/src/shop/orders.test.cpp",
      .func = "sell",
      .lineno = 42,
      .created = some_time,
      .thread = 7,
      .thread_name = "worker-1",
      .process = 4711,
      .process_name = "MainProcess",
  };
  OwnedRecord owned = record.own();
  const std::string expected = *text;
  text.reset();
  const OwnedRecord moved = std::move(owned);
  const OwnedRecord copy = moved.record().own();
  for (const LogRecord* one : {&moved.record(), &copy.record()}) {
    EXPECT_EQ(one->message, expected);
    EXPECT_EQ(one->name, "shop.orders");
    EXPECT_EQ(one->exception, "why");
    EXPECT_EQ(one->pathname, "/src/shop/orders.test.cpp");
    EXPECT_EQ(one->func, "sell");
    EXPECT_EQ(one->thread_name, "worker-1");
    EXPECT_EQ(one->process_name, "MainProcess");
    EXPECT_EQ(one->level, Level::warning);
    EXPECT_EQ(one->lineno, 42u);
    EXPECT_EQ(one->created, some_time);
  }
  EXPECT_NE(copy.record().message.data(), moved.record().message.data());
}

TEST(LogRecord, FileNameIsTheLastComponent) {
  EXPECT_EQ((LogRecord{.pathname = "a.cpp"}).filename(), "a.cpp");
  EXPECT_EQ((LogRecord{.pathname = "dir.d/a"}).filename(), "a");
  EXPECT_EQ((LogRecord{.pathname = "dir.d/a"}).module_name(), "a");
  EXPECT_EQ((LogRecord{.pathname = "/x/.hidden"}).module_name(), ".hidden");
  EXPECT_EQ((LogRecord{}).module_name(), "");
}

}  // namespace
}  // namespace conc::logging

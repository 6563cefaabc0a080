// The order of a LifoQueue; what it has in common with the other queues is tested in
// queue_test.cpp.
#include <conc/lifo_queue.hpp>

#include <gtest/gtest.h>

#include <string>

namespace {

TEST(LifoQueue, IsLastInFirstOut) {
  conc::LifoQueue<std::string> queue;
  for (int i = 0; i < 100; ++i) queue.put(std::to_string(i));
  for (int i = 99; i >= 50; --i) EXPECT_EQ(queue.get(), std::to_string(i));
  queue.put("last");
  EXPECT_EQ(queue.get(), "last");
  int next = 49;
  for (const std::string& item : queue.get_many(100)) EXPECT_EQ(item, std::to_string(next--));
}

}  // namespace

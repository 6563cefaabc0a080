#include <conc/errors.hpp>
#include <conc/inline_executor.hpp>

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "reports.hpp"

namespace {

using conc::Future;
using conc::InlineExecutor;

TEST(InlineExecutor, RunsTheCallInSubmit) {
  InlineExecutor here;
  const auto future = here.submit([] { return std::this_thread::get_id(); });
  EXPECT_TRUE(future.done());
  EXPECT_EQ(future.result(), std::this_thread::get_id());
  EXPECT_THROW(here.submit([] { throw 1; }).result(), int);
  here.shutdown();
  EXPECT_THROW(here.submit([] {}), conc::UsageError);
}

TEST(InlineExecutor, MakesNothingThatCouldBeCancelled) {
  InlineExecutor here;
  const auto future = here.submit([] { return 1; });
  EXPECT_FALSE(future.cancel());
  EXPECT_FALSE(future.running());
  int called = 0;
  future.add_done_callback([&called](const Future<int>&) { ++called; });
  EXPECT_EQ(called, 1);
}

TEST(InlineExecutor, ACallMaySubmitAndWait) {
  InlineExecutor here;
  std::vector<int> order;
  here.submit([&] {
    order.push_back(1);
    here.submit([&order] { order.push_back(2); }).result();
    here.post([&order] { order.push_back(3); });
    order.push_back(4);
  });
  EXPECT_EQ(order, (std::vector{1, 2, 3, 4}));
}

TEST(InlineExecutor, APostThatThrowsIsReported) {
  const conc::test::Reports reports;
  InlineExecutor here;
  here.post([] { throw 5; });
  EXPECT_EQ(reports.get(), std::vector<std::string>{"conc.future: int"});
}

TEST(InlineExecutor, ACallMayShutItDownAndIsTheLast) {
  InlineExecutor here;
  const auto refused = here.submit([&here] {
    here.shutdown();
    here.submit([] {});
  });
  EXPECT_THROW(refused.result(), conc::UsageError);
}

TEST(InlineExecutor, MapsAndLoopsInThisThread) {
  InlineExecutor here;
  const auto me = std::this_thread::get_id();
  for (const bool mine :
       here.map([me](int) { return std::this_thread::get_id() == me; }, std::vector{1, 2, 3})) {
    EXPECT_TRUE(mine);
  }
  std::vector<int> numbers(100, 1);
  here.parallel_for(numbers, [](int& n) { ++n; });
  EXPECT_EQ(std::accumulate(numbers.begin(), numbers.end(), 0), 200);
}

}  // namespace

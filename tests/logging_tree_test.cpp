// The tree of loggers and the levels in it.

#include <gtest/gtest.h>

#include <array>
#include <climits>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "logging_fixture.hpp"

namespace conc::test {
namespace {

using logging::get_logger;
using logging::Level;
using logging::Logger;

class LoggerTreeTest : public LoggingTest {};

// ---- The tree

TEST_F(LoggerTreeTest, SameNameIsSameObject) {
  EXPECT_EQ(&get_logger("same.name"), &get_logger("same.name"));
  EXPECT_NE(&get_logger("same.name"), &get_logger("same.name2"));
}

TEST_F(LoggerTreeTest, NoNameAndRootAreTheRoot) {
  EXPECT_EQ(&get_logger(), &get_logger(""));
  EXPECT_EQ(&get_logger(), &get_logger("root"));
  EXPECT_EQ(get_logger().name(), "root");
  EXPECT_EQ(get_logger().parent(), nullptr);
}

TEST_F(LoggerTreeTest, ParentIsTheNearestThatExists) {
  Logger& leaf = get_logger("near.a.b.c");
  EXPECT_EQ(leaf.parent(), &get_logger());
  Logger& middle = get_logger("near.a");
  EXPECT_EQ(leaf.parent(), &middle);
}

TEST_F(LoggerTreeTest, MissingIntermediateBecomesParentOnceItExists) {
  Logger& leaf = get_logger("late.x.y");
  Logger& sibling = get_logger("late.x.z.deep");
  Logger& stranger = get_logger("late.xx");
  Logger& dashed = get_logger("late.x-y");
  Logger& top = get_logger("late");
  EXPECT_EQ(leaf.parent(), &top);
  Logger& intermediate = get_logger("late.x");
  EXPECT_EQ(intermediate.parent(), &top);
  EXPECT_EQ(leaf.parent(), &intermediate);
  EXPECT_EQ(sibling.parent(), &intermediate);
  EXPECT_EQ(stranger.parent(), &top);
  EXPECT_EQ(dashed.parent(), &top);
}

TEST_F(LoggerTreeTest, NewIntermediateLeavesTheChildrenOfItsChildrenAlone) {
  Logger& deep = get_logger("deep.a.b.c");
  Logger& b = get_logger("deep.a.b");
  Logger& a = get_logger("deep.a");
  EXPECT_EQ(deep.parent(), &b);
  EXPECT_EQ(b.parent(), &a);
}

TEST_F(LoggerTreeTest, ChildrenAreThoseWhoseParentItIs) {
  Logger& top = get_logger("kids");
  Logger& b = get_logger("kids.b");
  Logger& a = get_logger("kids.a");
  get_logger("kids.a.grandchild");
  EXPECT_EQ(top.children(), (std::vector<Logger*>{&a, &b}));
}

TEST_F(LoggerTreeTest, ChildIsTheLoggerOfTheLongerName) {
  EXPECT_EQ(&get_logger("up").child("a.b"), &get_logger("up.a.b"));
  EXPECT_EQ(&get_logger().child("up"), &get_logger("up"));
}

// ---- Levels

TEST_F(LoggerTreeTest, RootBeginsWithWarningAndOthersInherit) {
  EXPECT_EQ(get_logger().level(), Level::warning);
  Logger& logger = get_logger("inherit.a");
  EXPECT_EQ(logger.level(), Level::notset);
  EXPECT_EQ(logger.effective_level(), Level::warning);
  EXPECT_FALSE(logger.is_enabled_for(Level::info));
  EXPECT_TRUE(logger.is_enabled_for(Level::warning));
}

TEST_F(LoggerTreeTest, LevelOfTheNearestAncestorCounts) {
  Logger& leaf = get_logger("levels.a.b");
  Logger& middle = get_logger("levels.a");
  Logger& top = get_logger("levels");
  top.set_level(Level::error);
  EXPECT_EQ(leaf.effective_level(), Level::error);
  middle.set_level(Level::debug);
  EXPECT_EQ(leaf.effective_level(), Level::debug);
  EXPECT_TRUE(leaf.is_enabled_for(Level::debug));
  EXPECT_FALSE(top.is_enabled_for(Level::warning));
  leaf.set_level(Level::critical);
  EXPECT_FALSE(leaf.is_enabled_for(Level::error));
  leaf.set_level(Level::notset);
  middle.set_level(Level::notset);
  EXPECT_FALSE(leaf.is_enabled_for(Level::warning));
  EXPECT_TRUE(leaf.is_enabled_for(Level::error));
}

TEST_F(LoggerTreeTest, NewLoggerTakesOverTheLevelOfItsAncestors) {
  get_logger("fresh").set_level(Level::debug);
  EXPECT_TRUE(get_logger("fresh.one").is_enabled_for(Level::debug));
  EXPECT_FALSE(get_logger("fresher").is_enabled_for(Level::debug));
}

TEST_F(LoggerTreeTest, RootWithoutLevelEnablesEverythingButLevelZero) {
  get_logger().set_level(Level::notset);
  EXPECT_EQ(get_logger().effective_level(), Level::notset);
  EXPECT_TRUE(get_logger("zero").is_enabled_for(static_cast<Level>(1)));
  EXPECT_FALSE(get_logger("zero").is_enabled_for(Level::notset));
}

TEST_F(LoggerTreeTest, FloorHoldsForEveryLogger) {
  Logger& logger = get_logger("floor");
  logger.set_level(Level::debug);
  logging::disable(Level::warning);
  EXPECT_FALSE(logger.is_enabled_for(Level::warning));
  EXPECT_TRUE(logger.is_enabled_for(Level::error));
  EXPECT_EQ(logger.effective_level(), Level::debug);
  EXPECT_FALSE(get_logger("floor.made.later").is_enabled_for(Level::warning));
  logging::disable();
  EXPECT_FALSE(logger.is_enabled_for(Level::critical));
  logging::disable(static_cast<Level>(INT_MAX));
  EXPECT_FALSE(logger.is_enabled_for(Level::critical));
  logging::disable(Level::notset);
  EXPECT_TRUE(logger.is_enabled_for(Level::debug));
}

TEST_F(LoggerTreeTest, ThreadsThatAskForANameGetOneObject) {
  static int made = 0;  // new names each time the test is repeated
  for (int round = 0; round < 50; ++round) {
    const std::string name = "race." + std::to_string(++made) + ".a.b";
    std::array<Logger*, 4> got{};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < got.size(); ++i) {
      threads.emplace_back([&, i] {
        const std::string own = i % 2 == 0 ? name : name.substr(0, name.rfind('.'));
        got[i] = &get_logger(own);
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(got[0], got[2]);
    EXPECT_EQ(got[1], got[3]);
    EXPECT_EQ(got[0]->parent(), got[1]);
  }
}

}  // namespace
}  // namespace conc::test

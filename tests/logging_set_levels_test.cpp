#include <conc/logging/basic_config.hpp>
#include <conc/logging/set_levels.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

#include <unistd.h>

#include "logging_fixture.hpp"

namespace conc::test {
namespace {

using logging::get_logger;
using logging::Level;
using logging::set_levels;

class SetLevelsTest : public LoggingTest {};

TEST_F(SetLevelsTest, SetsLoggersThatAreThereAndThoseMadeLater) {
  get_logger("set.there");
  set_levels("root=error,set.there=info,set.later=debug");
  EXPECT_EQ(get_logger().level(), Level::error);
  EXPECT_EQ(get_logger("set.there").level(), Level::info);
  EXPECT_TRUE(get_logger("set.there").is_enabled_for(Level::info));
  EXPECT_EQ(get_logger("set.later").level(), Level::debug);
  EXPECT_TRUE(get_logger("set.later").is_enabled_for(Level::debug));
  EXPECT_EQ(get_logger("set.other").effective_level(), Level::error);
}

TEST_F(SetLevelsTest, StarIsForEachLoggerBelow) {
  get_logger("star.db.pool");
  set_levels("star.db.*=debug");
  EXPECT_EQ(get_logger("star.db").level(), Level::notset);
  EXPECT_EQ(get_logger("star.db.pool").level(), Level::debug);
  EXPECT_EQ(get_logger("star.db.pool.deep").level(), Level::debug);
  EXPECT_EQ(get_logger("star.dbx").level(), Level::notset);
}

TEST_F(SetLevelsTest, LoggersBelowOneThatIsMadeLaterFollowItsLevel) {
  static int repeats = 0;  // a logger that was made stays, so each time needs another
  const std::string name = "between" + std::to_string(++repeats) + ".a";
  logging::Logger& leaf = get_logger(name + ".b");
  set_levels(name + "=debug");
  EXPECT_FALSE(leaf.is_enabled_for(Level::debug));
  get_logger(name);
  EXPECT_TRUE(leaf.is_enabled_for(Level::debug));
}

TEST_F(SetLevelsTest, LaterRuleCountsAndTheProgramHasTheLastWord) {
  set_levels("word.*=debug,word.a=info");
  set_levels("word.b=error");
  EXPECT_EQ(get_logger("word.a").level(), Level::info);
  EXPECT_EQ(get_logger("word.b").level(), Level::error);
  EXPECT_EQ(get_logger("word.c").level(), Level::debug);
  get_logger("word.c").set_level(Level::critical);
  set_levels("word.a=error");
  EXPECT_EQ(get_logger("word.c").level(), Level::critical);
}

TEST_F(SetLevelsTest, LevelsAreNamesInAnyCaseOrNumbers) {
  set_levels(" case.a = WARNING , case.b=Warn,, case.c=25,case.d=0,");
  EXPECT_EQ(get_logger("case.a").level(), Level::warning);
  EXPECT_EQ(get_logger("case.b").level(), Level::warning);
  EXPECT_EQ(get_logger("case.c").level(), static_cast<Level>(25));
  EXPECT_EQ(get_logger("case.d").level(), Level::notset);
}

TEST_F(SetLevelsTest, WrongRuleIsNamedAndNothingChanged) {
  for (const char* wrong : {"loud", "wrong.a=loud", "wrong.a=", "wrong.*.a=info", "wrong.a*=info",
                            "wrong.a=-1", "wrong.a=10x"}) {
    try {
      set_levels(std::string("wrong.good=info, ") + wrong);
      FAIL() << wrong;
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find("\"" + std::string(wrong) + "\""), std::string::npos)
          << error.what();
    }
  }
  EXPECT_EQ(get_logger("wrong.good").level(), Level::notset);
}

// The environment is read once, so the test is run again by this one with an environment of its
// own.
TEST_F(SetLevelsTest, EnvironmentSetsLevelsAndItsMistakesAreNamed) {
  if (std::getenv("CONC_TEST_RUN_AGAIN") != nullptr) {
    get_logger().set_level(Level::error);  // the fixture has changed it
    logging::basic_config({.level = Level::debug, .force = true});
    ASSERT_EQ(get_logger().level(), Level::error);
    ASSERT_EQ(get_logger("env.db.pool").level(), Level::debug);
    return;
  }
  const auto run_again = [] {
    ::setenv("CONC_TEST_RUN_AGAIN", "1", 1);
    ::setenv("CONC_LOG", "root=error,nonsense,env.db.*=debug", 1);
    ::execl("/proc/self/exe", "test", "--gtest_filter=*EnvironmentSetsLevels*", nullptr);
    std::exit(1);
  };
  EXPECT_EXIT(run_again(), ::testing::ExitedWithCode(0), "in CONC_LOG: .*\"nonsense\"");
}

}  // namespace
}  // namespace conc::test

#include <conc/logging/level.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

namespace conc::logging {
namespace {

TEST(Level, HasPythonsNumbers) {
  EXPECT_EQ(static_cast<int>(Level::notset), 0);
  EXPECT_EQ(static_cast<int>(Level::debug), 10);
  EXPECT_EQ(static_cast<int>(Level::info), 20);
  EXPECT_EQ(static_cast<int>(Level::warning), 30);
  EXPECT_EQ(static_cast<int>(Level::error), 40);
  EXPECT_EQ(static_cast<int>(Level::critical), 50);
}

TEST(Level, HasPythonsNames) {
  EXPECT_EQ(level_name(Level::notset), "NOTSET");
  EXPECT_EQ(level_name(Level::debug), "DEBUG");
  EXPECT_EQ(level_name(Level::info), "INFO");
  EXPECT_EQ(level_name(Level::warning), "WARNING");
  EXPECT_EQ(level_name(Level::error), "ERROR");
  EXPECT_EQ(level_name(Level::critical), "CRITICAL");
}

TEST(Level, WithoutNameIsShownByNumber) {
  EXPECT_EQ(level_name(static_cast<Level>(25)), "Level 25");
  EXPECT_EQ(level_name(static_cast<Level>(-1)), "Level -1");
}

TEST(Level, IsFoundByName) {
  EXPECT_EQ(level_from_name("INFO"), Level::info);
  EXPECT_EQ(level_from_name("NOTSET"), Level::notset);
  EXPECT_EQ(level_from_name("WARN"), Level::warning);
  EXPECT_EQ(level_from_name("FATAL"), Level::critical);
  EXPECT_EQ(level_from_name("info"), std::nullopt);
  EXPECT_EQ(level_from_name("Level 20"), std::nullopt);
  EXPECT_EQ(level_from_name(""), std::nullopt);
}

TEST(Level, AddedNameIsKnownBothWays) {
  add_level_name(static_cast<Level>(5), "TRACE");
  EXPECT_EQ(level_name(static_cast<Level>(5)), "TRACE");
  EXPECT_EQ(level_from_name("TRACE"), static_cast<Level>(5));
}

TEST(Level, LastAddedNameIsShownAndEarlierOnesStillLeadToIt) {
  add_level_name(Level::debug, "FINE");
  add_level_name(Level::debug, "FINER");
  EXPECT_EQ(level_name(Level::debug), "FINER");
  EXPECT_EQ(level_from_name("FINE"), Level::debug);
  EXPECT_EQ(level_from_name("DEBUG"), Level::debug);
  add_level_name(Level::debug, "DEBUG");
  EXPECT_EQ(level_name(Level::debug), "DEBUG");
}

TEST(Level, NameMustNotBeEmpty) {
  EXPECT_THROW(add_level_name(Level::debug, ""), std::invalid_argument);
}

}  // namespace
}  // namespace conc::logging

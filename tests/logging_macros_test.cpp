#define CONC_LOG_ACTIVE_LEVEL 30

#include <conc/logging/macros.hpp>

#include <gtest/gtest.h>

#include "logging_fixture.hpp"

namespace conc::test {
namespace {

using logging::get_logger;
using logging::Level;
using logging::Logger;

class LoggingMacrosTest : public LoggingTest {};

TEST_F(LoggingMacrosTest, CallsBelowTheActiveLevelAreRemovedArgumentsAndAll) {
  Logger& logger = get_logger("macros");
  logger.set_propagate(false);
  logger.set_level(Level::debug);
  const auto kept = keep(logger, "%(levelname)s %(message)s %(fields)s");
  int evaluated = 0;
  CONC_LOG_DEBUG(logger, "{}", ++evaluated);
  CONC_LOG_INFO(logger, "{}", ++evaluated);
  EXPECT_EQ(evaluated, 0);
  CONC_LOG_WARNING(logger, "{}", ++evaluated);
  CONC_LOG_ERROR(logger, "{}", ++evaluated, logging::field("n", 1));
  if (evaluated == 2)
    CONC_LOG_CRITICAL(logger, "no arguments");
  else
    FAIL();
  EXPECT_EQ(kept->lines(), (Lines{"WARNING 1 ", "ERROR 2 n=1", "CRITICAL no arguments "}));
}

TEST_F(LoggingMacrosTest, RecordsSayWhereTheCallIs) {
  Logger& logger = get_logger("macros.site");
  const auto kept = keep(logger);
  const int line = __LINE__ + 1;
  CONC_LOG_WARNING(logger, "here");
  const auto records = kept->take_records();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].record().lineno, static_cast<unsigned>(line));
}

}  // namespace
}  // namespace conc::test

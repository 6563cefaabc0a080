#include <conc/logging/logging_tree.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <string>

#include "logging_fixture.hpp"

namespace conc::test {
namespace {

using logging::get_logger;
using logging::Level;

class LoggingTreeTest : public LoggingTest {};

TEST_F(LoggingTreeTest, ShowsLevelsHandlersAndLosses) {
  const auto queue = std::make_shared<logging::RecordQueue>(1, "records");
  const auto queued =
      std::make_shared<logging::QueueHandler>(queue, logging::Overflow::drop_newest);
  queued->set_level(Level::error);
  get_logger().add_handler(std::make_shared<logging::StreamHandler>());
  get_logger("shown.db.pool").set_level(Level::debug);
  get_logger("shown.db").set_propagate(false);
  get_logger("shown.db").add_handler(queued);
  get_logger("shown.off").set_disabled(true);
  for (int i = 0; i < 3; ++i) get_logger("shown.db").error("e");
  queue->shutdown();
  std::ostringstream text;
  logging::logging_tree(text);
  // Other tests of the program have made loggers too.
  EXPECT_TRUE(text.str().starts_with("root: WARNING\n  StreamHandler stderr\n")) << text.str();
  EXPECT_NE(text.str().find("  shown.db: NOTSET, effective WARNING, does not propagate\n"
                            "    QueueHandler \"records\", level ERROR, 2 dropped\n"
                            "    shown.db.pool: DEBUG\n"
                            "  shown.off: NOTSET, effective WARNING, disabled\n"),
            std::string::npos)
      << text.str();
}

TEST_F(LoggingTreeTest, LossesAreShown) {
  const auto full = std::make_shared<logging::FileHandler>("/dev/full");
  get_logger("lossy").add_handler(full);
  get_logger("lossy").set_propagate(false);
  ::testing::internal::CaptureStderr();
  get_logger("lossy").error("e");
  ::testing::internal::GetCapturedStderr();
  std::ostringstream text;
  logging::logging_tree(text);
  EXPECT_NE(text.str().find("FileHandler \"/dev/full\", 1 lost\n"), std::string::npos)
      << text.str();
}

}  // namespace
}  // namespace conc::test

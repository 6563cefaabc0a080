// What the tests of logging share: loggers as new for every test, and a handler that keeps lines.
#pragma once

#include <conc/lock_guard.hpp>
#include <conc/logging.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace conc::test {

namespace logging = conc::logging;

class KeepingHandler : public logging::Handler {
 public:
  [[nodiscard]] std::vector<std::string> lines() const {
    const LockGuard guard(lock());
    return lines_;
  }
  [[nodiscard]] std::vector<logging::OwnedRecord> take_records() {
    const LockGuard guard(lock());
    return std::exchange(records_, {});
  }

 private:
  void emit(const logging::LogRecord& record, std::string_view line) override {
    records_.push_back(record.own());
    lines_.emplace_back(line);
  }

  std::vector<std::string> lines_;
  std::vector<logging::OwnedRecord> records_;
};

using Lines = std::vector<std::string>;

// Before and after each test: no handlers, levels, floors or disabled loggers. The tree itself
// cannot be emptied, so a test that cares which loggers exist uses names of its own.
class LoggingTest : public ::testing::Test {
 protected:
  void SetUp() override { reset(); }
  void TearDown() override { reset(); }

  static void reset() {
    logging::disable(logging::Level::notset);
    reset(logging::get_logger());
    logging::get_logger().set_level(logging::Level::warning);
  }

  // A handler on `logger`, with a pattern if one is given.
  static std::shared_ptr<KeepingHandler> keep(logging::Logger& logger,
                                              const char* pattern = nullptr) {
    auto handler = std::make_shared<KeepingHandler>();
    if (pattern != nullptr) {
      handler->set_formatter(std::make_shared<logging::Formatter>(pattern));
    }
    logger.add_handler(handler);
    return handler;
  }

 private:
  static void reset(logging::Logger& logger) {
    for (const auto& handler : logger.handlers()) logger.remove_handler(handler);
    logger.set_level(logging::Level::notset);
    logger.set_propagate(true);
    logger.set_disabled(false);
    for (logging::Logger* child : logger.children()) reset(*child);
  }
};

}  // namespace conc::test

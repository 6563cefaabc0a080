// log4cplus's rows. The thread's number stands in the place of its name.

#include <benchmark/benchmark.h>
#include <log4cplus/fileappender.h>
#include <log4cplus/initializer.h>
#include <log4cplus/layout.h>
#include <log4cplus/logger.h>
#include <log4cplus/loggingmacros.h>

#include <memory>
#include <sstream>
#include <string>

#include "logging_rows.hpp"

namespace {

using conc::bench::Destination;

class DroppingAppender : public log4cplus::Appender {
 public:
  ~DroppingAppender() override { destructorImpl(); }
  void close() override { closed = true; }

 private:
  void append(const log4cplus::spi::InternalLoggingEvent& event) override {
    const std::string& line = formatEvent(event);
    benchmark::DoNotOptimize(line.data());
  }
};

class Log4cplus {
 public:
  explicit Log4cplus(const Destination& to) {
    static const log4cplus::Initializer initializer;
    logger_ = log4cplus::Logger::getInstance("bench.logger");
    log4cplus::SharedAppenderPtr appender;
    if (to.file.empty()) {
      appender = new DroppingAppender;
    } else {
      appender =
          new log4cplus::FileAppender(to.file.string(), std::ios_base::trunc, to.every_record);
    }
    appender->setLayout(
        std::make_unique<log4cplus::PatternLayout>("%D{%Y-%m-%d %H:%M:%S,%q} %p %t %c %m%n"));
    logger_.setAdditivity(false);
    logger_.setLogLevel(log4cplus::INFO_LOG_LEVEL);
    logger_.addAppender(appender);
  }
  ~Log4cplus() { logger_.removeAllAppenders(); }
  Log4cplus(const Log4cplus&) = delete;
  Log4cplus& operator=(const Log4cplus&) = delete;

  void info(int number) {
    LOG4CPLUS_INFO(logger_, "request " << number << " took " << 12.5 << " ms");
  }
  void debug(int number) {
    LOG4CPLUS_DEBUG(logger_, "request " << number << " took " << 12.5 << " ms");
  }
  void settle() {}

 private:
  log4cplus::Logger logger_;
};

const bool rows = conc::bench::logging_rows<Log4cplus>("_log4cplus");

}  // namespace

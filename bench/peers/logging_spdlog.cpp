// spdlog's rows, with its synchronous logger that several threads may use. It has no thread names;
// the thread's number stands in their place.

#include <benchmark/benchmark.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>

#include "logging_rows.hpp"

namespace {

using conc::bench::Destination;

class DroppingSink : public spdlog::sinks::base_sink<std::mutex> {
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    benchmark::DoNotOptimize(line.data());
  }
  void flush_() override {}
};

class Spdlog {
 public:
  explicit Spdlog(const Destination& to) : logger_("bench.logger", sink_for(to)) {
    logger_.set_pattern("%Y-%m-%d %H:%M:%S,%e %l %t %n %v");
    logger_.set_level(spdlog::level::info);
    logger_.flush_on(to.every_record ? spdlog::level::trace : spdlog::level::warn);
  }

  void info(int number) { logger_.info("request {} took {} ms", number, 12.5); }
  void debug(int number) { logger_.debug("request {} took {} ms", number, 12.5); }
  void settle() {}

 private:
  static spdlog::sink_ptr sink_for(const Destination& to) {
    if (to.file.empty()) return std::make_shared<DroppingSink>();
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(to.file.string(), true);
  }

  spdlog::logger logger_;
};

const bool rows = conc::bench::logging_rows<Spdlog>("_spdlog");

}  // namespace

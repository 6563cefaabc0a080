// The logger. See support/logging_rows.hpp for what is measured.

#include <benchmark/benchmark.h>
#include <conc/logging.hpp>

#include <memory>
#include <optional>
#include <string_view>

#include "logging_rows.hpp"

namespace {

namespace logging = conc::logging;
using conc::bench::Destination;

// Takes the finished line and drops it.
class DroppingHandler : public logging::Handler {
 public:
  DroppingHandler() : Handler(Wants::line, "\n") {}

 private:
  void emit(const logging::LogRecord&, std::string_view line) override {
    benchmark::DoNotOptimize(line.data());
  }
};

class Conc {
 public:
  explicit Conc(const Destination& to) : logger_(logging::get_logger("bench.logger")) {
    std::shared_ptr<logging::Handler> handler;
    if (to.file.empty()) {
      handler = std::make_shared<DroppingHandler>();
    } else {
      handler = std::make_shared<logging::FileHandler>(
          to.file, logging::FileOptions{.mode = logging::FileMode::truncate,
                                        .flush = to.every_record ? logging::Flush::every_record
                                                                 : logging::Flush::warnings});
    }
    handler->set_formatter(std::make_shared<logging::Formatter>(
        "%(asctime)s %(levelname)s %(threadName)s %(name)s %(message)s"));
    if (to.queued) {
      const auto queue = std::make_shared<logging::RecordQueue>();
      listener_.emplace(queue, std::vector{handler});
      listener_->start();
      queued_ = std::make_shared<logging::QueueHandler>(queue);
      handler = queued_;
    }
    handler_ = handler;
    logger_.set_propagate(false);
    logger_.set_level(logging::Level::info);
    logger_.add_handler(handler_);
  }
  ~Conc() { logger_.remove_handler(handler_); }
  Conc(const Conc&) = delete;
  Conc& operator=(const Conc&) = delete;

  void info(int number) { logger_.info("request {} took {} ms", number, 12.5); }
  void debug(int number) { logger_.debug("request {} took {} ms", number, 12.5); }
  void settle() {
    if (queued_ != nullptr) static_cast<void>(queued_->flush(conc::forever));
  }

 private:
  logging::Logger& logger_;
  std::optional<logging::QueueListener> listener_;
  std::shared_ptr<logging::QueueHandler> queued_;
  std::shared_ptr<logging::Handler> handler_;
};

const bool rows = conc::bench::logging_rows<Conc>("");

}  // namespace

// The logger: what a call costs that is below the level, and one that is formatted.

#include <benchmark/benchmark.h>
#include <conc/logging.hpp>

#include <memory>
#include <string_view>

namespace {

namespace logging = conc::logging;

// Takes the finished line and drops it.
class DroppingHandler : public logging::Handler {
 public:
  DroppingHandler() : Handler(Wants::line, "\n") {}

 private:
  void emit(const logging::LogRecord&, std::string_view line) override {
    benchmark::DoNotOptimize(line.data());
  }
};

void disabled(benchmark::State& state) {
  const logging::Logger& logger = logging::get_logger("bench.disabled");
  int number = 0;
  for (auto _ : state) {
    logger.debug("request {} took {} ms", ++number, 12.5);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(disabled)->Name("BM_Logger_Disabled");

void dropped(benchmark::State& state) {
  static logging::Logger& logger = []() -> logging::Logger& {
    const auto handler = std::make_shared<DroppingHandler>();
    handler->set_formatter(std::make_shared<logging::Formatter>(
        "%(asctime)s %(levelname)s %(threadName)s %(name)s %(message)s"));
    logging::Logger& made = logging::get_logger("bench.dropped");
    made.set_propagate(false);
    made.set_level(logging::Level::info);
    made.add_handler(handler);
    return made;
  }();
  int number = 0;
  for (auto _ : state) logger.info("request {} took {} ms", ++number, 12.5);
}
BENCHMARK(dropped)->Name("BM_Logger_FormattedAndDropped");
BENCHMARK(dropped)->Name("BM_Logger_FormattedAndDropped")->Threads(4)->UseRealTime();

}  // namespace

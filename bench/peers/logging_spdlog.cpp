// spdlog's rows, with its synchronous logger that several threads may use. It has no thread names;
// the thread's number stands in their place.

#include <benchmark/benchmark.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>

namespace {

class DroppingSink : public spdlog::sinks::base_sink<std::mutex> {
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    benchmark::DoNotOptimize(line.data());
  }
  void flush_() override {}
};

void disabled(benchmark::State& state) {
  spdlog::logger logger("bench.disabled", std::make_shared<DroppingSink>());
  logger.set_level(spdlog::level::warn);
  int number = 0;
  for (auto _ : state) {
    logger.debug("request {} took {} ms", ++number, 12.5);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(disabled)->Name("BM_Logger_Disabled_spdlog");

void dropped(benchmark::State& state) {
  static spdlog::logger& logger = []() -> spdlog::logger& {
    static spdlog::logger made("bench.dropped", std::make_shared<DroppingSink>());
    made.set_pattern("%Y-%m-%d %H:%M:%S,%e %l %t %n %v");
    return made;
  }();
  int number = 0;
  for (auto _ : state) logger.info("request {} took {} ms", ++number, 12.5);
}
BENCHMARK(dropped)->Name("BM_Logger_FormattedAndDropped_spdlog");
BENCHMARK(dropped)->Name("BM_Logger_FormattedAndDropped_spdlog")->Threads(4)->UseRealTime();

}  // namespace

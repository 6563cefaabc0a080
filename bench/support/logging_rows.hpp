// What is measured of a logger. Each library has a class that is made with a Destination and has
//
//   info(number)     logs the line of all rows, with two arguments: its time, level, thread's name
//                    (or number), logger's name and "request <number> took 12.5 ms"
//   debug(number)    the same, below the logger's level
//   settle()         returns when all that was logged is out of the way
//
// Time is per call, over all threads together.
//
//   Disabled               a call below the level
//   FormattedAndDropped    the line is made, and dropped by the sink
//   ToTmpfs, ToDisk        to a file, with each library's buffering: only warnings are flushed
//   ...EveryRecord         the same, every line handed to the kernel before the call returns
//   QueuedBurst            the call alone, in bursts of 1000, with a thread that writes to a file on
//                          tmpfs behind it; a rival that has none writes itself
//
// tmpfs is /dev/shm; the disk is the directory that CONC_BENCH_DIR names, or else that for
// temporary files.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include <unistd.h>

namespace conc::bench {

struct Destination {
  std::filesystem::path file = {};  // empty: dropped
  bool every_record = false;        // flush it
  bool queued = false;              // another thread writes, if the library can
};

inline std::filesystem::path bench_directory(bool tmpfs) {
  if (tmpfs) return "/dev/shm";
  const char* const named = std::getenv("CONC_BENCH_DIR");
  return named != nullptr ? named : std::filesystem::temp_directory_path();
}

inline std::filesystem::path bench_file(bool tmpfs) {
  return bench_directory(tmpfs) / ("conc-bench-" + std::to_string(::getpid()) + ".log");
}

// The logger of all threads of a row: made before they start to measure, gone after they ended.
template <class Logging>
std::unique_ptr<Logging>& logging_under_test() {
  static std::unique_ptr<Logging> logging;
  return logging;
}

template <class Logging>
void logging_disabled(benchmark::State& state) {
  Logging logging{Destination()};
  int number = 0;
  for (auto _ : state) {
    logging.debug(++number);
    benchmark::ClobberMemory();
  }
}

template <class Logging>
void logging_calls(benchmark::State& state, bool to_file, bool tmpfs, bool every_record) {
  auto& logging = logging_under_test<Logging>();
  if (state.thread_index() == 0) {
    Destination destination{.every_record = every_record};
    if (to_file) {
      destination.file = bench_file(tmpfs);
      if (!std::filesystem::is_directory(destination.file.parent_path())) {
        state.SkipWithError("the directory is not there");
        return;
      }
    }
    logging = std::make_unique<Logging>(destination);
  }
  int number = 0;
  // The threads wait for each other before the loop and behind it.
  for (auto _ : state) logging->info(++number);
  if (state.thread_index() == 0) {
    logging.reset();
    std::error_code ignored;
    if (to_file) std::filesystem::remove(bench_file(tmpfs), ignored);
  }
}

template <class Logging>
void logging_burst(benchmark::State& state) {
  using Clock = std::chrono::steady_clock;
  constexpr int burst = 1000;
  {
    Logging logging{Destination{.file = bench_file(true), .queued = true}};
    int number = 0;
    while (state.KeepRunningBatch(burst)) {
      const auto start = Clock::now();
      for (int i = 0; i < burst; ++i) logging.info(++number);
      state.SetIterationTime(std::chrono::duration<double>(Clock::now() - start).count());
      logging.settle();
    }
  }
  std::error_code ignored;
  std::filesystem::remove(bench_file(true), ignored);
}

// `suffix` is empty for conc, and names the rival otherwise: "_spdlog".
template <class Logging>
bool logging_rows(const std::string& suffix) {
  const auto row = [&](const std::string& situation, auto run) {
    return benchmark::RegisterBenchmark(("BM_Logger_" + situation + suffix).c_str(), run);
  };
  const auto calls = [&](const std::string& situation, bool to_file, bool tmpfs, bool every) {
    const auto run = [=](benchmark::State& state) {
      logging_calls<Logging>(state, to_file, tmpfs, every);
    };
    row(situation, run);
    row(situation, run)->Threads(4)->UseRealTime();
  };
  row("Disabled", logging_disabled<Logging>);
  calls("FormattedAndDropped", false, false, false);
  calls("ToTmpfs", true, true, false);
  calls("ToTmpfsEveryRecord", true, true, true);
  calls("ToDisk", true, false, false);
  calls("ToDiskEveryRecord", true, false, true);
  row("QueuedBurst", logging_burst<Logging>)->UseManualTime();
  return true;
}

}  // namespace conc::bench

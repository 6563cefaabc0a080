// The main function of every benchmark.
//
// A second thread stays alive for the whole run. While a process has one thread, glibc takes the
// atomic instructions out of its mutexes, and a benchmark would compare conc's locks with something
// that no concurrent program ever meets.
#include <benchmark/benchmark.h>

#include <semaphore>
#include <thread>

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
#if defined(__clang__)
  benchmark::AddCustomContext("compiler", __VERSION__);
#elif defined(__GNUC__)
  benchmark::AddCustomContext("compiler", "g++ " __VERSION__);
#endif

  std::binary_semaphore over{0};
  const std::jthread second([&over] { over.acquire(); });
  benchmark::RunSpecifiedBenchmarks();
  over.release();

  benchmark::Shutdown();
  return 0;
}

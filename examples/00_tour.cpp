// SPDX-License-Identifier: MIT-0
//
// The tour: counts the words of all files below a directory, with everything that conc has.
//
//            paths              tasks               results
//   walker ---------> feeder -------------> worker_0 ---------> totals
//           a Queue           a pool with   worker_1   done-
//                             a thread for  ...        callbacks
//                             each CPU
//
// - The walker, a Thread, goes through the tree and puts the path of each file into a Queue. The
//   queue is bounded, so the walker waits when it is too far ahead.
// - The feeder, which is the main thread, takes the paths out and submits a task for each to a
//   ThreadPoolExecutor. It waits while enough tasks are on their way; so however large the tree is,
//   the program stays small.
// - A worker counts a file. What it returns, or throws, is in a Future, and the future's
//   done-callback adds it to the totals.
//
// Beside them one thread draws a progress line and sleeps in Event::wait meanwhile, and one waits
// for Ctrl-C and makes a stop request of it, which all others look at. All of them log.
//
// When the job is done, it is done again, a few times on one thread and on all in turn, to see what
// the threads are good for. Whatever happens, the totals are those of
//
//   find DIRECTORY -type f -print0 | LC_ALL=C wc -lwc --files0-from=- | tail -n 1

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iomanip>
#include <ios>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <conc/errors.hpp>
#include <conc/future.hpp>
#include <conc/logging.hpp>
#include <conc/queue.hpp>
#include <conc/thread.hpp>
#include <conc/thread_pool_executor.hpp>

#include "tour/interrupt.hpp"
#include "tour/options.hpp"
#include "tour/progress.hpp"
#include "tour/tally.hpp"
#include "tour/tree.hpp"
#include "tour/word_count.hpp"

namespace tour {
namespace {

namespace fs = std::filesystem;
namespace logging = conc::logging;
using namespace std::chrono_literals;

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

// ---- The job, on many threads and on one

// Enough files on their way to keep the workers busy while the feeder sleeps.
std::size_t most_pending(const Options& options) { return 32 * options.workers; }

struct Result {
  Totals totals;
  WordTable words;
  Seconds time;
  bool complete;  // not stopped before all was counted
};

// One table of what all counters have seen: the largest takes in the others.
WordTable merged_words(std::vector<FileCounter>& counters) {
  const auto largest = std::max_element(
      counters.begin(), counters.end(),
      [](const auto& a, const auto& b) { return a.words().size() < b.words().size(); });
  WordTable words = largest->take_words();  // and leaves none
  for (const FileCounter& counter : counters) words.add(counter.words());
  return words;
}

Result count_on_pool(const Options& options, const std::stop_token& stop, Tally& tally) {
  const Clock::time_point start = Clock::now();
  conc::Queue<fs::path> paths(1000, "paths");
  std::atomic<bool> found_all = false;

  conc::Thread walker({.name = "walker"}, [&](const std::stop_token& halt) {
    std::uint64_t found = 0;
    try {
      found_all = walk(
          options.root, halt,
          [&](const fs::path& path) {
            paths.put(path, halt);
            ++found;
          },
          [&](const fs::path& path, const std::error_code& error) {
            tally.skip_directory(path, error);
          });
    } catch (const conc::Error&) {
      // The queue was shut down, or a stop was requested while it was full.
    } catch (...) {
      logger.exception("the walk has failed");
    }
    logger.info("found {} files", found);
    paths.shutdown();  // the feeder's loop ends when it has taken the last
  });

  // A counter for each worker. A task borrows one, so no two threads ever share a table of words,
  // and there is nothing to lock.
  std::vector<FileCounter> counters(options.workers);
  conc::Queue<FileCounter*> idle(counters.size(), "idle counters");
  for (FileCounter& counter : counters) idle.put(&counter);

  const auto count_file = [&](const fs::path& path) {
    const auto give_back = [&idle](FileCounter* counter) { idle.put(counter); };
    const std::unique_ptr<FileCounter, decltype(give_back)> counter(idle.get(), give_back);
    const FileCounts counts = counter->count(path, stop);
    if (logger.is_enabled_for(logging::Level::debug)) {
      logger.debug("{}: {} lines, {} words, {} bytes", shown(path.native()), counts.lines,
                   counts.words, counts.bytes);
    }
    return counts;
  };

  conc::ThreadPoolExecutor pool({.max_workers = static_cast<std::ptrdiff_t>(options.workers),
                                 .thread_name_prefix = "worker"});
  const std::stop_callback end_early(stop, [&] {
    walker.request_stop();
    paths.shutdown(/*immediate=*/true);
  });

  walker.start();
  for (fs::path& path : paths) {
    tally.begin_file();
    const conc::Future<FileCounts> counted = pool.submit(count_file, path);
    counted.add_done_callback(
        [&tally, path = std::move(path)](const conc::Future<FileCounts>& done) {
          if (const std::exception_ptr error = done.exception()) {
            tally.end_file(path, error);
          } else {
            tally.end_file(done.result());
          }
        });
  }
  pool.shutdown();  // waits for all tasks and their callbacks

  WordTable words = merged_words(counters);
  return {tally.totals(), std::move(words), Clock::now() - start,
          found_all && !stop.stop_requested()};
}

// The same without any of the machinery.
Result count_on_one_thread(const Options& options, const std::stop_token& stop) {
  const Clock::time_point start = Clock::now();
  Tally tally(1);
  FileCounter counter;
  const bool found_all = walk(
      options.root, stop,
      [&](const fs::path& path) {
        tally.begin_file();
        try {
          tally.end_file(counter.count(path, stop));
        } catch (...) {
          tally.end_file(path, std::current_exception());
        }
      },
      [&](const fs::path& path, const std::error_code& error) {
        tally.skip_directory(path, error);
      });
  return {tally.totals(), counter.take_words(), Clock::now() - start,
          found_all && !stop.stop_requested()};
}

// ---- What the program prints

// A number in a column, and what it says.
template <class Number>
void print(Number number, std::string_view what) {
  std::cout << std::setw(12) << number << "  " << what << '\n';
}

void print_result(const Options& options, const Result& result) {
  const std::string_view mark = result.complete ? "" : " (partial: the job was stopped)";
  std::cout << "The most frequent words below " << shown(options.root.native()) << mark << "\n\n";
  for (const auto& [word, count] : result.words.most_frequent(options.top)) print(count, word);
  std::cout << "\nTotals" << mark << "\n\n";
  print(result.totals.files, "files");
  print(result.totals.lines, "lines");
  print(result.totals.words, "words");
  print(result.totals.bytes, "bytes");
  print(result.totals.unreadable_files, "unreadable files");
  print(result.totals.unreadable_directories, "unreadable directories");
  std::cout << "\nTimes" << mark << "\n\n" << std::fixed << std::setprecision(3);
  print(result.time.count(), "seconds for the job");
  std::cout.flush();
}

// Does the job on one thread and on the pool in turn and prints the shortest time of each, since
// whatever else the machine does can only add to it. The job was done before, so both find the
// files in memory.
void compare(const Options& options, const Totals& expected, const std::stop_token& stop) {
  logging::disable(logging::Level::warning);  // all has been said the first time
  Seconds one_thread = Seconds::max();
  Seconds pool = Seconds::max();
  bool same = true;
  int rounds = 0;
  const Clock::time_point start = Clock::now();
  while (!stop.stop_requested() && rounds < 5 && Clock::now() - start < 2s) {
    {
      const Result result = count_on_one_thread(options, stop);
      one_thread = std::min(one_thread, result.time);
      same = same && result.totals == expected;
    }
    {
      Tally tally(most_pending(options));
      const Result result = count_on_pool(options, stop, tally);
      pool = std::min(pool, result.time);
      same = same && result.totals == expected;
    }
    ++rounds;
  }
  logging::disable(logging::Level::notset);

  if (stop.stop_requested()) {
    std::cout << "The comparison with one thread was stopped.\n";
    return;
  }
  print(one_thread.count(), "seconds on one thread");
  print(pool.count(), "seconds on the pool");
  print(one_thread / pool, "times as fast");
  if (!same) logger.warning("the files have changed between one reading and the next");
}

// ---- All of it

// WARNING and above to the terminal, everything to the file.
void set_up_logging(const std::shared_ptr<Console>& console, const fs::path& file) {
  console->set_level(logging::Level::warning);
  console->set_formatter(std::make_shared<logging::Formatter>("%(levelname)s: %(message)s"));
  const auto log = std::make_shared<logging::FileHandler>(
      file, logging::FileOptions{.mode = logging::FileMode::truncate});
  log->set_formatter(std::make_shared<logging::Formatter>(
      "%(asctime)s %(levelname)-7s %(threadName)-10s %(message)s"));
  logging::basic_config({.level = logging::Level::debug, .handlers = {console, log}});
}

int run(const Options& options) {
  if (std::error_code error; fs::directory_iterator(options.root, error), error) {
    throw Refused(shown(options.root.native()) + ": " + error.message());
  }

  const Interrupt interrupt;
  const std::stop_token stop = interrupt.token();
  const auto console = std::make_shared<Console>();
  try {
    set_up_logging(console, options.log);
  } catch (const std::system_error& error) {
    throw Refused(error.what());
  }

  logger.info("counting below {} with {} workers", shown(options.root.native()), options.workers);
  const Result result = [&] {
    Tally tally(most_pending(options));
    std::optional<Progress> progress;
    if (!options.quiet && isatty(STDERR_FILENO)) progress.emplace(*console, options.root, tally);
    return count_on_pool(options, stop, tally);
  }();
  logger.info("counted {} files in {:.3f} s", result.totals.files, result.time.count());

  print_result(options, result);
  if (result.complete && !options.once) compare(options, result.totals, stop);
  if (!std::cout.flush()) throw std::runtime_error("cannot write the result");
  if (interrupt.signal() != 0) return 128 + interrupt.signal();
  return result.complete ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace tour

int main(int argc, char** argv) {
  try {
    const tour::Options options = tour::parse(argc, argv);
    if (options.help) {
      std::cout << tour::usage;
      return EXIT_SUCCESS;
    }
    return tour::run(options);
  } catch (const tour::Refused& refusal) {
    std::cerr << "00_tour: " << refusal.what() << '\n';
    return 2;
  } catch (const std::exception& failure) {
    std::cerr << "00_tour: " << failure.what() << '\n';
    return EXIT_FAILURE;
  }
}

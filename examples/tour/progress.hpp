// SPDX-License-Identifier: MIT-0
//
// What is seen on the terminal while the program works.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iomanip>
#include <ios>
#include <sstream>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <conc/event.hpp>
#include <conc/lock_guard.hpp>
#include <conc/logging.hpp>
#include <conc/thread.hpp>

#include "tally.hpp"
#include "tree.hpp"

namespace tour {

// Log records and a line of progress on stderr, out of each other's way: each record goes above the
// progress, which stays the last line.
class Console final : public conc::logging::StreamHandler {
 public:
  // Shows this line instead of the last one; "" to show none.
  void show(std::string line) {
    const conc::LockGuard hold(lock());
    erase();
    progress_ = std::move(line);
    std::fputs(progress_.c_str(), stderr);
  }

 private:
  void emit(const conc::logging::LogRecord& record, std::string_view line) override {
    erase();
    StreamHandler::emit(record, line);
    std::fputs(progress_.c_str(), stderr);
  }

  void erase() {
    if (!progress_.empty()) std::fputs("\r\x1b[K", stderr);
  }

  std::string progress_;  // guarded by the handler's lock
};

// Draws how far the job is, ten times a second, for as long as it lives.
class Progress {
 public:
  Progress(Console& console, const std::filesystem::path& root, const Tally& tally)
      : console_(console),
        tally_(tally),
        scout_({.name = "scout"},
               [this, root](const std::stop_token& stop) { look_ahead(root, stop); }),
        painter_({.name = "progress"}, [this] { paint(); }) {
    scout_.start();
    painter_.start();
  }

  ~Progress() { finished_.set(); }  // and the threads are waited for

 private:
  // The walker waits for the workers, so it cannot know how many files there will be. The scout
  // runs ahead and only counts them.
  void look_ahead(const std::filesystem::path& root, const std::stop_token& stop) {
    all_found_ = walk(
        root, stop, [this](const std::filesystem::path&) { ++found_; },
        [](const std::filesystem::path&, const std::error_code&) {});  // which the walker reports
  }

  void paint() {
    do {
      console_.show(line());
    } while (!finished_.wait(std::chrono::milliseconds(100)));
    console_.show("");
  }

  std::string line() const {
    const bool all_found = all_found_;
    const Totals totals = tally_.totals();
    const std::uint64_t done = totals.files + totals.unreadable_files;
    const std::uint64_t found = std::max<std::uint64_t>(found_, done);
    const double rate =
        static_cast<double>(done) /
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    std::ostringstream text;
    text << std::fixed << std::setprecision(0) << done << " files done, " << rate << " files/s, "
         << found - done << (all_found ? "" : "+") << " remaining";
    if (all_found && done > 0) {
      text << std::setprecision(1) << " (" << static_cast<double>(found - done) / rate << " s)";
    }
    return text.str();
  }

  Console& console_;
  const Tally& tally_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::atomic<std::uint64_t> found_ = 0;
  std::atomic<bool> all_found_ = false;
  conc::Event finished_{"finished"};
  conc::Thread scout_;
  conc::Thread painter_;
};

}  // namespace tour

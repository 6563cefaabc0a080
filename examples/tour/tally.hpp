// SPDX-License-Identifier: MIT-0
//
// What has been counted so far.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <string>
#include <system_error>

#include <conc/condition.hpp>
#include <conc/errors.hpp>
#include <conc/lock_guard.hpp>
#include <conc/logging.hpp>

#include "tree.hpp"
#include "word_count.hpp"

namespace tour {

// All threads log here.
inline const conc::logging::Logger& logger = conc::logging::get_logger("tour");

struct Totals {
  std::uint64_t files = 0;
  std::uint64_t lines = 0;
  std::uint64_t words = 0;
  std::uint64_t bytes = 0;
  std::uint64_t unreadable_files = 0;
  std::uint64_t unreadable_directories = 0;

  bool operator==(const Totals&) const = default;
};

// What has come in, and how many files are still being counted. All threads of a run share it.
class Tally {
 public:
  // So many files may be on their way to the workers: enough to keep them busy.
  explicit Tally(std::size_t most_pending) : most_pending_(most_pending) {}

  // A file is on its way. Blocks while there are too many, until half of them are done: it would
  // cost more to wake the feeder for each.
  void begin_file() {
    const conc::LockGuard hold(changed_);
    if (pending_ == most_pending_) {
      changed_.wait_for([this] { return pending_ <= most_pending_ / 2; });
    }
    ++pending_;
  }

  // It was counted.
  void end_file(const FileCounts& counts) {
    const conc::LockGuard hold(changed_);
    totals_.files += 1;
    totals_.lines += counts.lines;
    totals_.words += counts.words;
    totals_.bytes += counts.bytes;
    one_less();
  }

  // It was not, because of `error`.
  void end_file(const std::filesystem::path& path, const std::exception_ptr& error) {
    std::string reason;
    try {
      std::rethrow_exception(error);
    } catch (const conc::Stopped&) {
    } catch (const std::system_error& failure) {
      reason = failure.code().message();
    } catch (const std::exception& failure) {
      reason = failure.what();
    }
    {
      const conc::LockGuard hold(changed_);
      if (!reason.empty()) totals_.unreadable_files += 1;
      one_less();
    }
    if (!reason.empty()) logger.warning("cannot read {}: {}", shown(path.native()), reason);
  }

  void skip_directory(const std::filesystem::path& path, const std::error_code& error) {
    {
      const conc::LockGuard hold(changed_);
      totals_.unreadable_directories += 1;
    }
    logger.warning("cannot read the directory {}: {}", shown(path.native()), error.message());
  }

  Totals totals() const {
    const conc::LockGuard hold(changed_);
    return totals_;
  }

 private:
  void one_less() {
    --pending_;
    if (pending_ == most_pending_ / 2) changed_.notify();
  }

  const std::size_t most_pending_;
  mutable conc::Condition changed_{"tally"};
  std::size_t pending_ = 0;  // this and the totals are guarded by changed_
  Totals totals_;
};

}  // namespace tour

#include <conc/lock_guard.hpp>
#include <conc/logging/rotating_file_handler.hpp>

#include <utility>

#include <sys/stat.h>

#include "active.hpp"
#include "complaint.hpp"

namespace conc::logging {

namespace fs = std::filesystem;

RotatingFileHandler::RotatingFileHandler(const fs::path& path, RotatingOptions options)
    : FileHandler(path, {.delay = options.delay, .flush = options.flush}),
      options_(std::move(options)) {}

RotatingFileHandler::~RotatingFileHandler() = default;

std::string RotatingFileHandler::description() const {
  return "Rotating" + FileHandler::description();
}

void RotatingFileHandler::roll() {
  detail::Active active(this);
  active.begin_locked();
  const LockGuard guard(lock());
  if (!rolls()) return;
  const fs::file_status status = fs::status(path());
  if (fs::exists(status) && !fs::is_regular_file(status)) return;
  rotate();
  if (!options_.delay) open();
}

void RotatingFileHandler::emit(const LogRecord& record, std::string_view line) {
  open();
  if (due(line.size())) {
    try {
      rotate();
    } catch (...) {
      complain("the file could not be rolled over: " + detail::describe_current_exception());
    }
  }
  FileHandler::emit(record, line);
}

bool RotatingFileHandler::rolls() const noexcept {
  return options_.max_bytes != 0 && options_.backup_count != 0;
}

bool RotatingFileHandler::due(std::size_t next) const {
  if (!rolls()) return false;
  struct ::stat file {};
  if (::fstat(descriptor(), &file) != 0 || !S_ISREG(file.st_mode)) return false;
  const auto size = static_cast<std::uint64_t>(file.st_size) + held_back();
  if (size == 0) return false;
  return size >= options_.max_bytes || next >= options_.max_bytes - size;
}

fs::path RotatingFileHandler::backup(std::size_t number) const {
  fs::path name = path();
  name += '.';
  name += std::to_string(number);
  return options_.namer ? options_.namer(name) : name;
}

void RotatingFileHandler::rotate() {
  // Deleted: a new one is made, and the old ones stay where they are.
  if (!fs::exists(fs::symlink_status(path()))) return shut();
  // Only those up to the first gap move on: after a failure half way nothing is lost that way.
  std::size_t gap = 1;
  while (gap < options_.backup_count && fs::exists(fs::symlink_status(backup(gap)))) ++gap;
  for (; gap > 1; --gap) fs::rename(backup(gap - 1), backup(gap));
  fs::rename(path(), backup(1));
  shut();
}

}  // namespace conc::logging

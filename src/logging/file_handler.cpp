#include <conc/lock_guard.hpp>
#include <conc/logging/file_handler.hpp>

#include <cerrno>
#include <string>
#include <system_error>
#include <typeinfo>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "active.hpp"
#include "block.hpp"
#include "complaint.hpp"
#include "flusher.hpp"
#include "fork.hpp"
#include "null_character.hpp"

namespace conc::logging {

// What is held back.
class FileHandler::Buffer final : public detail::Flusher::Client {
 public:
  explicit Buffer(FileHandler& owner) : owner_(owner) {}

  void flush_late() noexcept override {
    detail::Active active(&owner_);
    active.begin_locked();
    const LockGuard guard(owner_.lock());
    write_and_report();
  }

  // With the lock held. Nothing virtual is called: the handler may be about to be destroyed.
  void write_and_report() noexcept {
    if (const std::size_t lost = owner_.write_buffer()) report(lost);
  }

  // Records were written: what is unsaid about earlier ones is said if it is time to.
  void catch_up() const noexcept { owner_.catch_up(described); }

  detail::Block block;  // guarded by the handler's lock

 private:
  void report(std::size_t lost) noexcept {
    const int error = errno;
    const bool due = owner_.may_complain();
    owner_.count_lost(lost, due);
    if (!due) return;
    try {
      detail::complain(
          {described(owner_), ": ", std::to_string(lost),
           " records were lost: cannot write: ", std::generic_category().message(error), " (",
           std::to_string(owner_.lost()), " lost so far)"});
    } catch (...) {
      detail::complain({"a FileHandler: records were lost"});
    }
  }

  static std::string described(const Handler& owner) {
    return static_cast<const FileHandler&>(owner).FileHandler::description();
  }

  FileHandler& owner_;
  const detail::ForkEntry fork_entry_{this, [](void* self, detail::ForkMoment moment, Until) {
                                        if (moment == detail::ForkMoment::in_child)
                                          static_cast<Buffer*>(self)->block.forget();
                                      }};
};

FileHandler::FileHandler(const std::filesystem::path& path, FileOptions options)
    : Handler(Wants::line, "\n"),
      path_(std::filesystem::absolute(path)),
      truncate_(options.mode == FileMode::truncate),
      buffer_(options.flush == Flush::warnings ? std::make_unique<Buffer>(*this) : nullptr) {
  detail::refuse_null_character(path_.native(), "conc::logging::FileHandler: the path");
  if (!options.delay) open();
}

FileHandler::~FileHandler() {
  if (buffer_ != nullptr) {
    detail::Flusher::leave(*buffer_);
    buffer_->write_and_report();
  }
  if (fd_ >= 0) ::close(fd_);
  say_losses();
}

std::string FileHandler::description() const { return "FileHandler \"" + path_.string() + "\""; }

std::size_t FileHandler::held_back() const noexcept {
  return buffer_ != nullptr ? buffer_->block.size() : 0;
}

bool FileHandler::holds_back() const noexcept { return held_back() != 0; }

bool FileHandler::try_emit(const LogRecord& record, std::string_view line) noexcept {
  if (buffer_ == nullptr || record.level >= Level::warning || !buffer_->block.try_append(line)) {
    return false;
  }
  if (!detail::Flusher::ask(*buffer_)) buffer_->flush_late();
  return true;
}

void FileHandler::emit(const LogRecord& record, std::string_view line) {
  open();
  if (buffer_ == nullptr) return write_line(line);
  buffer_->block.shut();
  if (!buffer_->block.append(line, fd_)) {
    buffer_->write_and_report();
    if (!buffer_->block.append(line, fd_)) return write_line(line);  // longer than a block
  }
  const bool may_wait = record.level < Level::warning && !closed_;
  if (may_wait && detail::Flusher::ask(*buffer_)) {
    // Classes that are derived from this one look at each record, with the lock held.
    if (typeid(*this) == typeid(FileHandler)) buffer_->block.open();
    return;
  }
  if (const std::size_t lost = write_buffer()) {
    count_lost(lost - 1);  // the last one is this record
    fail("cannot write to");
  }
}

void FileHandler::on_flush() {
  if (const std::size_t lost = write_buffer()) {
    count_lost(lost);
    fail("cannot write to");
  }
}

void FileHandler::on_close() {
  closed_ = true;
  shut();
}

void FileHandler::shut() {
  if (fd_ < 0) return;
  if (buffer_ != nullptr) buffer_->write_and_report();
  // Linux gives the descriptor back whatever close() returns, so it is not tried again.
  const int status = ::close(fd_);
  fd_ = -1;
  if (status != 0 && errno != EINTR) fail("cannot close");
}

void FileHandler::open() {
  if (fd_ >= 0) return;
  const int truncate = truncate_ ? O_TRUNC : 0;
  // As Python creates it; the process's umask takes permissions away.
  do {
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | truncate, 0666);
  } while (fd_ < 0 && errno == EINTR);  // while it waits for the reader of a pipe
  if (fd_ < 0) fail("cannot open");
  truncate_ = false;
  torn_ = ends_in_a_line();
}

void FileHandler::take(int fd) {
  const LockGuard guard(lock());
  // A record was faster, and opened it.
  if (fd_ >= 0) {
    ::close(fd);
    return;
  }
  fd_ = fd;
  truncate_ = false;
  torn_ = ends_in_a_line();
}

bool FileHandler::ends_in_a_line() const {
  struct ::stat file {};
  if (::fstat(fd_, &file) != 0 || !S_ISREG(file.st_mode) || file.st_size == 0) return false;
  const std::string end = terminator();
  if (end.empty()) return false;
  // The handler's own descriptor cannot read.
  const int reader = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (reader < 0) return false;
  char last = end.back();
  static_cast<void>(::pread(reader, &last, 1, file.st_size - 1));
  ::close(reader);
  return last != end.back();
}

// Returns how many bytes are written; errno says why it is not all.
std::size_t FileHandler::write(std::string_view text) noexcept {
  // The kernel takes all of it at once unless the disk is full or a signal comes in between.
  std::size_t done = 0;
  while (done < text.size()) {
    const ::ssize_t count = ::write(fd_, text.data() + done, text.size() - done);
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (count == 0 || errno != EINTR) {
      if (count == 0) errno = ENOSPC;
      break;
    }
  }
  return done;
}

void FileHandler::write_line(std::string_view line) {
  if (torn_ && write("\n") == 0) fail("cannot write to");
  const std::size_t done = write(line);
  torn_ = 0 < done && done < line.size();
  if (done < line.size()) fail("cannot write to");
}

// Returns how many lines did not get into the file; errno says why. They are lost.
std::size_t FileHandler::write_buffer() noexcept {
  if (buffer_ == nullptr) return 0;
  detail::Block& block = buffer_->block;
  block.shut();
  const bool any = block.size() != 0;
  std::size_t lost = 0;
  for (auto lines = block.unsaved(0); lines.first != lines.end; lines = block.unsaved(lines.end)) {
    lost += lines.end - lines.first;
    if (torn_ && write("\n") == 0) continue;
    const auto whole = block.whole_lines(lines, write(lines.text));
    torn_ = !whole.exactly;
    lost -= whole.lines;
  }
  block.clear();
  if (any && lost == 0) buffer_->catch_up();
  return lost;
}

void FileHandler::fail(const char* what) const {
  throw std::system_error(
      errno, std::generic_category(),
      "conc::logging::FileHandler: " + std::string(what) + " \"" + path_.string() + "\"");
}

}  // namespace conc::logging

#include <conc/logging/file_handler.hpp>

#include <cerrno>
#include <cstddef>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace conc::logging {

FileHandler::FileHandler(const std::filesystem::path& path, FileOptions options)
    : Handler(Wants::line, "\n"),
      path_(std::filesystem::absolute(path)),
      truncate_(options.mode == FileMode::truncate) {
  if (!options.delay) open();
}

FileHandler::~FileHandler() {
  if (fd_ >= 0) ::close(fd_);
}

std::string FileHandler::description() const { return "FileHandler \"" + path_.string() + "\""; }

void FileHandler::emit(const LogRecord&, std::string_view line) {
  open();
  if (torn_) {
    write("\n");
    torn_ = false;
  }
  write(line);
}

void FileHandler::on_close() { shut(); }

void FileHandler::shut() {
  if (fd_ < 0) return;
  // Linux gives the descriptor back whatever close() returns, so it is not tried again.
  const int status = ::close(fd_);
  fd_ = -1;
  if (status != 0 && errno != EINTR) fail("cannot close");
}

void FileHandler::open() {
  if (fd_ >= 0) return;
  const int truncate = truncate_ ? O_TRUNC : 0;
  // As Python creates it; the process's umask takes permissions away.
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | truncate, 0666);
  if (fd_ < 0) fail("cannot open");
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

void FileHandler::write(std::string_view text) {
  // The kernel takes all of it at once unless the disk is full or a signal comes in between.
  for (std::size_t done = 0; done < text.size();) {
    const ::ssize_t count = ::write(fd_, text.data() + done, text.size() - done);
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (count == 0 || errno != EINTR) {
      if (count == 0) errno = ENOSPC;
      torn_ = torn_ || done != 0;
      fail("cannot write to");
    }
  }
}

void FileHandler::fail(const char* what) const {
  throw std::system_error(
      errno, std::generic_category(),
      "conc::logging::FileHandler: " + std::string(what) + " \"" + path_.string() + "\"");
}

}  // namespace conc::logging

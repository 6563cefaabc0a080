#include "late_files.hpp"

#include <conc/logging/file_handler.hpp>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plan.hpp"

namespace conc::logging::detail {
namespace {

// Where a file is made that is opened by this path: a link may lead to where there is none yet.
std::filesystem::path behind_links(std::filesystem::path path) {
  constexpr int most_links = 40;  // the kernel's own limit
  std::error_code ignored;
  for (int links = 0; links < most_links && std::filesystem::is_symlink(path, ignored); ++links) {
    path = path.parent_path() / std::filesystem::read_symlink(path, ignored);
  }
  return path;
}

// As FileHandler does it.
int open_to_append(const std::filesystem::path& path, int flags) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | flags, 0666);
  } while (fd < 0 && errno == EINTR);  // while it waits for the reader of a pipe
  return fd;
}

bool same_file(const struct ::stat& one, const struct ::stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

// Whether this process has it open: a handler may hold back lines for it.
bool is_open(const struct ::stat& file) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    struct ::stat one {};
    if (::stat(entry.path().c_str(), &one) == 0 && same_file(one, file)) return true;
  }
  return false;
}

// Deletes what was made, unless others have written to it meanwhile, or are about to.
void unmake(const std::filesystem::path& path, const struct ::stat& made) noexcept {
  try {
    struct ::stat now {};
    if (::stat(path.c_str(), &now) != 0 || !same_file(now, made)) return;
    if (now.st_size == 0 && !is_open(now)) ::unlink(path.c_str());
  } catch (...) {
    // It cannot be known, so it stays.
  }
}

}  // namespace

LateFiles::~LateFiles() {
  // Two handlers may have the same file, so all are closed first.
  for (const File& file : files_) {
    if (file.fd >= 0) ::close(file.fd);
  }
  for (const File& file : files_) {
    if (file.fd >= 0 && !file.made.empty()) unmake(file.made, file.made_file);
  }
}

void LateFiles::probe(Mistakes& mistakes) {
  for (File& file : files_) {
    if (!probe(file)) complain(file, "open", mistakes);
  }
}

// errno says why not.
bool LateFiles::probe(File& file) {
  const std::filesystem::path& path = file.opening.file;
  struct ::stat there {};
  // A pipe, or a device, is not opened yet: whoever reads from it would see that it is closed again.
  if (::stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode)) {
    return ::access(path.c_str(), W_OK) == 0;
  }
  return open(file);
}

bool LateFiles::open(File& file) {
  const std::filesystem::path& path = file.opening.file;
  file.fd = open_to_append(path, 0);
  if (file.fd >= 0 || errno != ENOENT) return file.fd >= 0;
  std::filesystem::path target = behind_links(path);
  file.fd = open_to_append(target, O_CREAT | O_EXCL);
  if (file.fd >= 0) {
    file.made = std::move(target);
    ::fstat(file.fd, &file.made_file);
  } else if (errno == EEXIST) {
    file.fd = open_to_append(path, O_CREAT);  // somebody else was faster
  }
  return file.fd >= 0;
}

void LateFiles::open(Mistakes& mistakes) {
  for (File& file : files_) {
    if (file.fd < 0 && !open(file)) return complain(file, "open", mistakes);
  }
  const auto truncates = [](const File& file) { return file.opening.truncates; };
  // What is held back for a file goes to what that was before.
  if (std::any_of(files_.begin(), files_.end(), truncates)) flush_present_handlers();
  for (const File& file : files_) {
    struct ::stat there {};
    // As O_TRUNC, which does nothing to a pipe.
    const bool regular = ::fstat(file.fd, &there) == 0 && S_ISREG(there.st_mode);
    if (truncates(file) && regular && there.st_size != 0 && ::ftruncate(file.fd, 0) != 0) {
      return complain(file, "truncate", mistakes);
    }
  }
  for (File& file : files_) file.opening.handler->take(std::exchange(file.fd, -1));
}

void LateFiles::complain(const File& file, const char* what, Mistakes& mistakes) {
  const std::string why = std::generic_category().message(errno);
  mistakes.push_back(file.opening.place + ": cannot " + what + ' ' +
                     in_quotes(file.opening.file.string()) + ": " + why);
}

}  // namespace conc::logging::detail

#include "late_files.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <new>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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

}  // namespace

LateFiles::~LateFiles() {
  for (const auto& path : made_) {
    struct ::stat file {};
    // Somebody else may have written to it meanwhile.
    if (::stat(path.c_str(), &file) == 0 && file.st_size == 0) ::unlink(path.c_str());
  }
}

void LateFiles::probe(Mistakes& mistakes) {
  made_.reserve(openings_.size());
  for (const LateOpening& one : openings_) {
    if (!can_be_written(one.file)) {
      const std::string why = std::generic_category().message(errno);
      mistakes.push_back(one.place + ": cannot open " + in_quotes(one.file.string()) + ": " + why);
    }
  }
}

// errno says why not. Makes the file if there is none.
bool LateFiles::can_be_written(const std::filesystem::path& path) {
  struct ::stat there {};
  // A pipe, or a device, is not opened: whoever reads from it would see that it is closed again.
  if (::stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode)) {
    return ::access(path.c_str(), W_OK) == 0;
  }
  constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC;
  std::filesystem::path target = behind_links(path);
  int file = ::open(target.c_str(), flags | O_EXCL, 0666);
  if (file >= 0) {
    made_.push_back(std::move(target));
  } else if (errno == EEXIST) {
    file = ::open(target.c_str(), flags, 0666);
  }
  return file >= 0 && ::close(file) == 0;
}

bool LateFiles::any_truncates() const noexcept {
  return std::any_of(openings_.begin(), openings_.end(),
                     [](const LateOpening& one) { return one.truncates; });
}

void LateFiles::open(Mistakes& mistakes) {
  std::stable_partition(openings_.begin(), openings_.end(),
                        [](const LateOpening& one) { return !one.truncates; });
  for (const LateOpening& one : openings_) {
    try {
      one.open();
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& wrong) {
      mistakes.push_back(one.place + ": " + wrong.what());
      return;
    }
  }
}

}  // namespace conc::logging::detail

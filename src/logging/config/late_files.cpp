#include "late_files.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <new>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace conc::logging::detail {

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
    // A pipe that nobody reads is refused at once instead of being waited for; that is no mistake.
    constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK;
    int file = ::open(one.file.c_str(), flags | O_EXCL, 0666);
    if (file >= 0) {
      made_.push_back(one.file);
    } else if (errno == EEXIST) {
      file = ::open(one.file.c_str(), flags, 0666);
    }
    if (file >= 0) {
      ::close(file);
    } else if (errno != ENXIO) {
      const std::string why = std::generic_category().message(errno);
      mistakes.push_back(one.place + ": cannot open " + in_quotes(one.file.string()) + ": " + why);
    }
  }
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

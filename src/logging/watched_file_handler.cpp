#include <conc/logging/watched_file_handler.hpp>

#include <sys/stat.h>

namespace conc::logging {

WatchedFileHandler::~WatchedFileHandler() = default;

std::string WatchedFileHandler::description() const {
  return "Watched" + FileHandler::description();
}

void WatchedFileHandler::emit(const LogRecord& record, std::string_view line) {
  if (descriptor() >= 0 && gone()) shut();
  FileHandler::emit(record, line);
}

bool WatchedFileHandler::gone() const {
  struct ::stat named {};
  struct ::stat opened {};
  if (::fstat(descriptor(), &opened) != 0) return true;
  return ::stat(path().c_str(), &named) != 0 || named.st_dev != opened.st_dev ||
         named.st_ino != opened.st_ino;
}

}  // namespace conc::logging

#include <conc/logging/stream_handler.hpp>

#include <cerrno>
#include <iostream>
#include <stdexcept>
#include <system_error>

namespace conc::logging {
namespace {

[[noreturn]] void throw_last_error(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

StreamHandler::StreamHandler() : StreamHandler(stderr) {}

StreamHandler::StreamHandler(std::FILE* stream)
    : Handler(Wants::line, "\n"), file_(stream), stream_(nullptr) {
  if (stream == nullptr) {
    throw std::invalid_argument("conc::logging::StreamHandler: the stream must not be null.");
  }
}

StreamHandler::StreamHandler(std::ostream& stream)
    : Handler(Wants::line, "\n"), file_(nullptr), stream_(&stream) {}

StreamHandler::~StreamHandler() = default;

std::string StreamHandler::description() const {
  if (file_ == stderr || stream_ == &std::cerr) return "StreamHandler stderr";
  if (file_ == stdout || stream_ == &std::cout) return "StreamHandler stdout";
  return "StreamHandler";
}

void StreamHandler::emit(const LogRecord&, std::string_view line) {
  if (stream_ != nullptr) {
    if (!*stream_) stream_->clear();
    stream_->write(line.data(), static_cast<std::streamsize>(line.size()));
    if (!*stream_) throw std::ios_base::failure("the stream failed");
  } else {
    std::clearerr(file_);
    if (std::fwrite(line.data(), 1, line.size(), file_) != line.size()) {
      throw_last_error("write");
    }
  }
  on_flush();
}

void StreamHandler::on_flush() {
  if (stream_ != nullptr) {
    stream_->flush();
    if (!*stream_) throw std::ios_base::failure("the stream failed");
  } else if (std::fflush(file_) != 0) {
    throw_last_error("flush");
  }
}

}  // namespace conc::logging

#include <conc/logging/stream_handler.hpp>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <system_error>

#include <unistd.h>

namespace conc::logging {
namespace {

[[noreturn]] void throw_last_error(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

bool terminal_wants_colour(std::FILE* file) noexcept {
  if (file == nullptr || ::isatty(::fileno(file)) == 0) return false;
  const char* const no_colour = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  return (no_colour == nullptr || *no_colour == '\0') &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}

// Keeps other threads from the stream.
class LockedFile {
 public:
  explicit LockedFile(std::FILE* file) noexcept : file_(file) { ::flockfile(file_); }
  ~LockedFile() { ::funlockfile(file_); }
  LockedFile(const LockedFile&) = delete;
  LockedFile& operator=(const LockedFile&) = delete;

 private:
  std::FILE* const file_;
};

// Returns how many bytes are written; errno says why it is not all.
std::size_t write_past(int fd, std::string_view text) noexcept {
  std::size_t done = 0;
  while (done < text.size()) {
    const ::ssize_t count = ::write(fd, text.data() + done, text.size() - done);
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (count == 0 || errno != EINTR) {
      if (count == 0) errno = ENOSPC;
      break;
    }
  }
  return done;
}

// What a terminal is told before the line; "" for nothing.
constexpr std::string_view colour_of(Level level) noexcept {
  if (level >= Level::critical) return "\x1b[1;31m";
  if (level >= Level::error) return "\x1b[31m";
  if (level >= Level::warning) return "\x1b[33m";
  return level < Level::info && level > Level::notset ? "\x1b[2m" : "";
}

constexpr std::string_view plain_again = "\x1b[0m";

}  // namespace

StreamHandler::StreamHandler() : StreamHandler(stderr) {}

StreamHandler::StreamHandler(std::FILE* stream)
    : Handler(Wants::line, "\n"), file_(stream), stream_(nullptr) {
  if (stream == nullptr) {
    throw std::invalid_argument("conc::logging::StreamHandler: the stream must not be null.");
  }
  set_colour(Colour::automatic);
}

StreamHandler::StreamHandler(std::ostream& stream)
    : Handler(Wants::line, "\n"), file_(nullptr), stream_(&stream) {
  set_colour(Colour::automatic);
}

StreamHandler::~StreamHandler() { say_losses(); }

std::string StreamHandler::description() const {
  if (file_ == stderr || stream_ == &std::cerr) return "StreamHandler stderr";
  if (file_ == stdout || stream_ == &std::cout) return "StreamHandler stdout";
  return "StreamHandler";
}

void StreamHandler::set_colour(Colour colour) noexcept {
  std::FILE* const file = stream_ == nullptr      ? file_
                          : stream_ == &std::cout ? stdout
                          : stream_ == &std::cerr ? stderr
                                                  : nullptr;
  coloured_.store(
      colour == Colour::always || (colour == Colour::automatic && terminal_wants_colour(file)),
      std::memory_order_relaxed);
}

void StreamHandler::emit(const LogRecord& record, std::string_view line) {
  const std::string_view colour =
      coloured_.load(std::memory_order_relaxed) ? colour_of(record.level) : std::string_view();
  if (colour.empty()) {
    write(line);
  } else {
    // The line's end stands behind all commands, so that the next line begins plain.
    const std::size_t end = line.find_last_not_of('\n') + 1;
    std::string text;
    ((text += colour) += line.substr(0, end)) += plain_again;
    write(text += line.substr(end));
  }
}

void StreamHandler::write(std::string_view line) {
  if (stream_ != nullptr) {
    if (!*stream_) stream_->clear();
    stream_->write(line.data(), static_cast<std::streamsize>(line.size()));
    if (!*stream_) throw std::ios_base::failure("the stream failed");
    on_flush();
  } else {
    const LockedFile file(file_);
    std::clearerr(file_);
    write_through(line);
  }
}

void StreamHandler::write_through(std::string_view line) {
  const int fd = ::fileno(file_);
  if (fd < 0) {  // a stream of memory, for instance
    const std::size_t done = std::fwrite(line.data(), 1, line.size(), file_);
    if (done < line.size() || std::fflush(file_) != 0) throw_last_error("write");
    return;
  }
  // Before what the program has put into the stream's buffer since.
  if (torn_ && write_past(fd, "\n") == 0) throw_last_error("write");
  // Past that buffer, which C's library throws away when a signal interrupts it. What the program
  // has put there comes first; whether that can be written is the program's business.
  std::fflush(file_);
  const std::size_t done = write_past(fd, line);
  torn_ = 0 < done && done < line.size();
  if (done < line.size()) throw_last_error("write");
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

// StreamHandler: writes lines to stderr, to stdout or to any std::ostream.
#pragma once

#include <conc/detail/machine.hpp>
#include <conc/export.hpp>
#include <conc/logging/handler.hpp>

#include <cstdint>
#include <cstdio>
#include <ostream>
#include <string>
#include <string_view>

namespace conc::logging {

// Whether lines are coloured by their level.
enum class Colour : std::uint8_t {
  // When the stream is a terminal, unless the environment has NO_COLOR or TERM=dumb. The stream
  // must be one of C, std::cout or std::cerr; of others nothing is known.
  automatic,
  always,
  never,
};

// Each line goes to the stream in one piece and the stream is flushed, before the logging call
// returns. The handler does not own its stream, which must outlive it; close() leaves it open.
//
// A stream that fails is cleared before the next record, so writing resumes when it can. When only
// a part of a line went to the file of a stream of C, the next record starts a new line.
//
// Python: logging.StreamHandler
class CONC_LOGGING_EXPORT StreamHandler : public Handler {
 public:
  // Writes to stderr.
  StreamHandler();

  // Writes to a stream of C, as stdout: lines keep their place between what printf() writes. When
  // the stream has a file, they go there by write(2) once the stream is flushed: a signal takes
  // nothing away.
  // Throws std::invalid_argument for null.
  explicit StreamHandler(std::FILE* stream);

  // Writes to a stream of C++. The program does not use the stream meanwhile, unless it is one of
  // the standard ones.
  explicit StreamHandler(std::ostream& stream);

  ~StreamHandler() override;

  // Warnings are yellow, errors red, what is critical red and bold, and debug messages faint, by
  // the commands of ANSI terminals. Colour::automatic at first; the terminal and the environment
  // are looked at here.
  void set_colour(Colour colour) noexcept;

  // What ends each line: "\n" at first. Takes effect with the next record.
  // Throws std::bad_alloc.
  // Python: the attribute of this name
  using Handler::set_terminator;

  [[nodiscard]] std::string description() const override;

 protected:
  // Throws std::system_error, or std::ios_base::failure for a std::ostream.
  void emit(const LogRecord& record, std::string_view line) override;
  void on_flush() override;

 private:
  void write(std::string_view text);
  void write_through(std::string_view line);

  // One of the two.
  std::FILE* const file_;
  std::ostream* const stream_;
  conc::detail::Atomic<bool> coloured_{false};
  bool torn_ = false;  // the stream's file ends with a part of a line; guarded by lock()
};

}  // namespace conc::logging

// Formatter: makes the line that a handler writes from a record.
#pragma once

#include <conc/export.hpp>
#include <conc/logging/record.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace conc::logging {

namespace detail {
class LineBuffer;
}

// How a pattern marks its fields.
enum class Style : std::uint8_t {
  percent,  // %(levelname)-8s %(lineno)4d; %% for a percent sign
  brace,    // {levelname:<8} {lineno:4};   {{ and }} for braces
};

// What becomes of characters that are not text: control characters, among them the line end and the
// one that begins a terminal's commands, line separators of Unicode, and bytes that are not UTF-8.
// In a message that comes from outside they can forge lines and change what a terminal shows.
enum class Controls : std::uint8_t {
  keep,
  escape,  // they are written as "\n", "\x1b", "\u009b"; the pattern's own stay
};

// A pattern compiled to a list of pieces, once. Many handlers and threads may share a Formatter.
//
// The fields, with Python's names:
//
//   name             the logger's               asctime          the time, see datefmt
//   levelname        "WARNING"                  created          seconds since 1970, with fraction
//   levelno          30                         msecs            0..999, of the second
//   message          with its arguments in it   relativeCreated  milliseconds since the first use
//   pathname         of the source file         thread           as conc::get_ident() has it
//   filename         its last component         threadName
//   module           without the extension      process          the operating system's number
//   lineno           line                       processName
//   funcName         function
//   fields           bytes=12 to="a b", see Field
//   context          the same of the thread's Context
//
// After a percent sign and a field stand C's flags, width, precision and conversion: s for any
// field, d i u x X o e E f F g G for numbers. The precision of an integer is its least number of
// digits, the minus sign of a negative level counted as one; a larger width beside it is refused,
// unless with the flag 0. In braces, after a colon, stands a format specification of fmt. A width
// counts characters (UTF-8 code points), not bytes.
//
// When the record has an exception, its text follows on a line of its own.
//
// Python: logging.Formatter
class CONC_LOGGING_EXPORT Formatter {
 public:
  // "%(message)s" when `pattern` is empty. `datefmt` is for strftime(), in local time; when it is
  // empty, asctime is like "2024-05-31 18:07:59,042".
  // Throws std::invalid_argument that names the field, or the position in the pattern, for an
  // unknown field, a conversion that does not suit the field, a width above 4096, and for a pattern
  // without any field, which is most often one of the other style; also for a `datefmt` that holds
  // a null character.
  explicit Formatter(std::string_view pattern = {}, std::string_view datefmt = {},
                     Style style = Style::percent, Controls controls = Controls::keep);
  virtual ~Formatter();

  Formatter(const Formatter&) = delete;
  Formatter& operator=(const Formatter&) = delete;

  // Appends the line for `record` to `out`, without a line end.
  // Called by several threads at once with no lock held, by each only while it logs. May throw; the
  // handler then reports the record as lost.
  // Cost: allocates only when `out` grows. Local time is looked up once per second and thread.
  // Python: format(), which returns the line.
  virtual void format(const LogRecord& record, std::string& out) const;

 private:
  friend class detail::LineBuffer;
  class Pattern;

  // Writes what format() of this class appends, if it is there at `limit` at the latest, and
  // returns its end; or null.
  char* write(const LogRecord& record, char* out, const char* limit) const;

  std::unique_ptr<const Pattern> pattern_;
};

}  // namespace conc::logging

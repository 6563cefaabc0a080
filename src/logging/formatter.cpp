#include <conc/logging/formatter.hpp>

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <ratio>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "date_format.hpp"
#include "field_text.hpp"
#include "level_names.hpp"
#include "line_writer.hpp"
#include "pattern.hpp"
#include "utf8.hpp"

namespace conc::logging {
namespace {

using detail::Attribute;
using detail::Piece;

// The field of a record as a number; a fraction is cut off when Number has none.
template <class Number>
Number number_of(const LogRecord& record, Attribute field) {
  using std::chrono::duration;
  using std::chrono::floor;
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  const auto created = record.created.time_since_epoch();
  switch (field) {
    case Attribute::levelno:
      return static_cast<Number>(record.level);
    case Attribute::lineno:
      return static_cast<Number>(record.lineno);
    case Attribute::msecs:
      return static_cast<Number>(floor<milliseconds>(created - floor<seconds>(created)).count());
    case Attribute::thread:
      return static_cast<Number>(record.thread);
    case Attribute::process:
      return static_cast<Number>(record.process);
    case Attribute::created:
      return static_cast<Number>(duration<double>(created).count());
    case Attribute::relative_created:
      return static_cast<Number>(duration<double, std::milli>(record.relative_created).count());
    default:
      return 0;  // text: a pattern never asks for it as a number
  }
}

constexpr std::size_t digits_room = 32;  // enough for any number in its shortest form

template <class Number>
std::string digits_of(Number number) {
  char digits[digits_room];
  return {digits, std::to_chars(digits, digits + digits_room, number).ptr};
}

template <class Number>
void append_number(Number number, const std::string& format, detail::LineWriter& line) {
  if (format.empty()) {
    char digits[digits_room];
    const std::to_chars_result end = std::to_chars(digits, digits + digits_room, number);
    line.put({digits, static_cast<std::size_t>(end.ptr - digits)});
  } else {
    line.put(fmt::vformat(format, fmt::make_format_args(number)));
  }
}

}  // namespace

class Formatter::Pattern {
 public:
  Pattern(std::string_view pattern, std::string_view datefmt, Style style, Controls controls)
      : pieces_(detail::compile_pattern(pattern, style)),
        date_format_(datefmt),
        controls_(controls) {}

  void append(const LogRecord& record, std::string& out) const {
    detail::LineWriter line(out);
    for (const Piece& piece : pieces_) append_piece(record, piece, line);
    line.finish();
    if (!record.exception.empty()) append_exception(record.exception, out);
  }

 private:
  void append_exception(std::string_view exception, std::string& out) const {
    if (!out.empty() && out.back() != '\n') out += '\n';
    if (controls_ == Controls::escape) {
      detail::append_visible(exception, out);
    } else {
      out += exception;
    }
  }

  void append_piece(const LogRecord& record, const Piece& piece, detail::LineWriter& line) const {
    switch (piece.kind) {
      case Piece::Kind::literal:
        break;
      case Piece::Kind::text:
        append_text(record, piece, line);
        break;
      case Piece::Kind::integer:
        append_number(number_of<std::int64_t>(record, piece.field), piece.format, line);
        break;
      case Piece::Kind::real:
        append_number(number_of<double>(record, piece.field), piece.format, line);
        break;
    }
    line.put(piece.literal);
  }

  void append_text(const LogRecord& record, const Piece& piece, detail::LineWriter& line) const {
    std::string room;
    const std::string_view text = text_of(record, piece.field, room);
    if (controls_ == Controls::keep && piece.padding.idle()) {
      line.put(text);
    } else {
      append_altered(text, piece.padding, line);
    }
  }

  void append_altered(std::string_view text, const detail::Padding& padding,
                      detail::LineWriter& line) const {
    std::string visible;
    if (controls_ == Controls::escape && !detail::is_visible(text)) {
      detail::append_visible(text, visible);
      text = visible;
    }
    std::string padded;
    if (!padding.idle()) {
      detail::append_padded(text, padding, padded);
      text = padded;
    }
    line.put(text);
  }

  // Text that has to be made is put into `room`.
  std::string_view text_of(const LogRecord& record, Attribute field, std::string& room) const {
    switch (field) {
      case Attribute::name:
        return record.name;
      case Attribute::levelname: {
        const std::string_view name = detail::standard_level_name(record.level);
        return !name.empty() ? name : room = level_name(record.level);
      }
      case Attribute::message:
        return record.message;
      case Attribute::pathname:
        return record.pathname;
      case Attribute::filename:
        return record.filename();
      case Attribute::module_name:
        return record.module_name();
      case Attribute::func_name:
        return record.func;
      case Attribute::thread_name:
        return record.thread_name;
      case Attribute::process_name:
        return record.process_name;
      case Attribute::fields:
        detail::append_fields(record.fields, room);
        return room;
      case Attribute::context:
        detail::append_fields(record.context, room);
        return room;
      case Attribute::asctime:
        return date_format_.text(record.created, room);
      case Attribute::levelno:
      case Attribute::lineno:
      case Attribute::msecs:
      case Attribute::thread:
      case Attribute::process:
        return room = digits_of(number_of<std::int64_t>(record, field));
      case Attribute::created:
      case Attribute::relative_created:
        return room = digits_of(number_of<double>(record, field));
    }
    return {};  // there is no other
  }

  const std::vector<Piece> pieces_;
  const detail::DateFormat date_format_;
  const Controls controls_;
};

Formatter::Formatter(std::string_view pattern, std::string_view datefmt, Style style,
                     Controls controls) {
  if (pattern.empty()) pattern = style == Style::percent ? "%(message)s" : "{message}";
  pattern_ = std::make_unique<const Pattern>(pattern, datefmt, style, controls);
}

Formatter::~Formatter() = default;

void Formatter::format(const LogRecord& record, std::string& out) const {
  pattern_->append(record, out);
}

}  // namespace conc::logging

#include <conc/logging/formatter.hpp>

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <ratio>
#include <system_error>
#include <vector>

#include "date_format.hpp"
#include "field_text.hpp"
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

template <class Number>
void append_number(Number number, const std::string& format, std::string& out) {
  if (!format.empty()) {
    fmt::vformat_to(std::back_inserter(out), format, fmt::make_format_args(number));
    return;
  }
  char digits[32];  // enough for any number in its shortest form
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, end.ptr);
}

}  // namespace

class Formatter::Pattern {
 public:
  Pattern(std::string_view pattern, std::string_view datefmt, Style style, Controls controls)
      : pieces_(detail::compile_pattern(pattern, style)),
        date_format_(datefmt),
        controls_(controls) {}

  void append(const LogRecord& record, std::string& out) const {
    append_pieces(record, out);
    if (record.exception.empty()) return;
    if (!out.empty() && out.back() != '\n') out += '\n';
    if (controls_ == Controls::escape) {
      detail::append_visible(record.exception, out);
    } else {
      out += record.exception;
    }
  }

 private:
  void append_pieces(const LogRecord& record, std::string& out) const {
    for (const Piece& piece : pieces_) {
      switch (piece.kind) {
        case Piece::Kind::literal:
          out += piece.text;
          break;
        case Piece::Kind::text:
          append_text(record, piece, out);
          break;
        case Piece::Kind::integer:
          append_number(number_of<std::int64_t>(record, piece.field), piece.text, out);
          break;
        case Piece::Kind::real:
          append_number(number_of<double>(record, piece.field), piece.text, out);
          break;
      }
    }
  }

  void append_text(const LogRecord& record, const Piece& piece, std::string& out) const {
    const auto append = [&](std::string_view text) {
      std::string visible;
      if (controls_ == Controls::escape && !detail::is_visible(text)) {
        detail::append_visible(text, visible);
        text = visible;
      }
      if (piece.padding.idle()) {
        out += text;
      } else {
        detail::append_padded(text, piece.padding, out);
      }
    };
    switch (piece.field) {
      case Attribute::name:
        return append(record.name);
      case Attribute::levelname:
        return append(level_name(record.level));
      case Attribute::message:
        return append(record.message);
      case Attribute::pathname:
        return append(record.pathname);
      case Attribute::filename:
        return append(record.filename());
      case Attribute::module_name:
        return append(record.module_name());
      case Attribute::func_name:
        return append(record.func);
      case Attribute::thread_name:
        return append(record.thread_name);
      case Attribute::process_name:
        return append(record.process_name);
      case Attribute::fields:
      case Attribute::context: {
        std::string text;
        detail::append_fields(piece.field == Attribute::fields ? record.fields : record.context,
                              text);
        return append(text);
      }
      case Attribute::asctime: {
        if (piece.padding.idle()) return date_format_.append(record.created, out);
        std::string text;
        date_format_.append(record.created, text);
        return append(text);
      }
      case Attribute::levelno:
      case Attribute::lineno:
      case Attribute::msecs:
      case Attribute::thread:
      case Attribute::process: {
        std::string text;
        append_number(number_of<std::int64_t>(record, piece.field), {}, text);
        return append(text);
      }
      case Attribute::created:
      case Attribute::relative_created: {
        std::string text;
        append_number(number_of<double>(record, piece.field), {}, text);
        return append(text);
      }
    }
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

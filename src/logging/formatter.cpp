#include <conc/logging/formatter.hpp>

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
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
      return static_cast<Number>((floor<milliseconds>(created) - floor<seconds>(created)).count());
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
        controls_(controls) {
    steps_.reserve(pieces_.size());
    for (const Piece& piece : pieces_) steps_.push_back(step_for(piece));
  }

  void append(const LogRecord& record, std::string& out) const {
    detail::LineWriter line(out);
    std::string room;
    for (const Step& step : steps_) {
      switch (step.kind) {
        case Step::Kind::member:
          line.put(record.*step.member);
          break;
        case Step::Kind::asctime:
          line.put(date_format_.text(record.created, room));
          break;
        case Step::Kind::other:
          line.put(text_of(record, *step.piece, room));
          break;
      }
      line.put(step.literal);
      if (step.piece != nullptr && step.literal.size == 0) line.put(step.piece->literal);
    }
    line.finish();
    if (!record.exception.empty()) append_exception(record.exception, out);
  }

 private:
  // A piece made ready. Most fields of most patterns are text that the record has.
  struct Step {
    enum class Kind : std::uint8_t { member, asctime, other };

    Kind kind = Kind::other;
    detail::ShortText literal{};  // the piece's, if it is short enough
    std::string_view LogRecord::*member = nullptr;
    const Piece* piece = nullptr;  // null when nothing of it is needed any more
  };

  [[nodiscard]] Step step_for(const Piece& piece) const {
    Step step{.piece = &piece};
    const bool short_literal = piece.literal.size() <= detail::ShortText::most;
    if (short_literal) step.literal = detail::ShortText(piece.literal);
    if (piece.kind != Piece::Kind::text || !piece.padding.idle() || controls_ != Controls::keep) {
      return step;
    }
    step.member = member_of(piece.field);
    if (step.member != nullptr) {
      step.kind = Step::Kind::member;
    } else if (piece.field == Attribute::asctime) {
      step.kind = Step::Kind::asctime;
    } else {
      return step;
    }
    if (short_literal) step.piece = nullptr;
    return step;
  }

  static std::string_view LogRecord::*member_of(Attribute field) {
    switch (field) {
      case Attribute::name:
        return &LogRecord::name;
      case Attribute::message:
        return &LogRecord::message;
      case Attribute::pathname:
        return &LogRecord::pathname;
      case Attribute::func_name:
        return &LogRecord::func;
      case Attribute::thread_name:
        return &LogRecord::thread_name;
      case Attribute::process_name:
        return &LogRecord::process_name;
      default:
        return nullptr;
    }
  }

  void append_exception(std::string_view exception, std::string& out) const {
    if (!out.empty() && out.back() != '\n') out += '\n';
    if (controls_ == Controls::escape) {
      detail::append_visible(exception, out);
    } else {
      out += exception;
    }
  }

  // The field of the piece, finished. Text that has to be made is put into `room`.
  std::string_view text_of(const LogRecord& record, const Piece& piece, std::string& room) const {
    room.clear();
    switch (piece.kind) {
      case Piece::Kind::literal:
        break;
      case Piece::Kind::text: {
        const std::string_view text = text_of(record, piece.field, room);
        const bool stays = controls_ == Controls::keep && piece.padding.idle();
        return stays ? text : room = altered(text, piece.padding);
      }
      case Piece::Kind::integer:
        append_number(number_of<std::int64_t>(record, piece.field), piece.format, room);
        break;
      case Piece::Kind::real:
        append_number(number_of<double>(record, piece.field), piece.format, room);
        break;
    }
    return room;
  }

  [[nodiscard]] std::string altered(std::string_view text, const detail::Padding& padding) const {
    std::string visible;
    if (controls_ == Controls::escape && !detail::is_visible(text)) {
      detail::append_visible(text, visible);
      text = visible;
    }
    std::string padded;
    detail::append_padded(text, padding, padded);
    return padded;
  }

  std::string_view text_of(const LogRecord& record, Attribute field, std::string& room) const {
    if (const auto member = member_of(field)) return record.*member;
    switch (field) {
      case Attribute::levelname: {
        const std::string_view name = detail::standard_level_name(record.level);
        return !name.empty() ? name : room = level_name(record.level);
      }
      case Attribute::filename:
        return record.filename();
      case Attribute::module_name:
        return record.module_name();
      case Attribute::fields:
        detail::append_fields(record.fields, room);
        break;
      case Attribute::context:
        detail::append_fields(record.context, room);
        break;
      case Attribute::asctime:
        return date_format_.text(record.created, room);
      case Attribute::created:
      case Attribute::relative_created:
        append_number(number_of<double>(record, field), {}, room);
        break;
      default:
        append_number(number_of<std::int64_t>(record, field), {}, room);
    }
    return room;
  }

  const std::vector<Piece> pieces_;
  std::vector<Step> steps_;  // one for each piece
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

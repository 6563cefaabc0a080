#include <conc/config.hpp>
#include <conc/detail/short_copy.hpp>
#include <conc/logging/formatter.hpp>

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <ratio>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "date_format.hpp"
#include "field_text.hpp"
#include "level_names.hpp"
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
  if constexpr (std::floating_point<Number>) {
    detail::append_real(number, out);
  } else {
    char digits[24];
    const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, number);
    out.append(digits, end.ptr);
  }
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

  // Writes the line if it ends at `limit` at the latest, and returns its end; null if it does not.
  // What comes behind it up to `limit` may be overwritten.
  char* write(const LogRecord& record, char* out, const char* limit) const {
    if (!record.exception.empty()) return nullptr;
    std::string room;
    for (const Step& step : steps_) {
      const std::string_view text = text_of(record, step, room);
      if (text.size() + ShortText::most > static_cast<std::size_t>(limit - out)) return nullptr;
      out = conc::detail::copy_short(text.data(), text.size(), out);
      std::memcpy(out, step.literal.characters, ShortText::most);
      out += step.literal.size;
      if (step.long_literal) {
        const std::string& literal = step.piece->literal;
        if (literal.size() > static_cast<std::size_t>(limit - out)) return nullptr;
        out = conc::detail::copy_short(literal.data(), literal.size(), out);
      }
    }
    return out;
  }

  void append(const LogRecord& record, std::string& out) const {
    std::string room;
    for (const Step& step : steps_) (out += text_of(record, step, room)) += step.piece->literal;
    if (!record.exception.empty()) append_exception(record.exception, out);
  }

 private:
  // Text of eight characters at most, of which copying takes one move.
  struct ShortText {
    static constexpr std::size_t most = 8;

    char characters[most] = {};
    std::size_t size = 0;
  };

  // A piece made ready. Most fields of most patterns are text that is there already.
  struct Step {
    enum class Kind : std::uint8_t { member, asctime, levelname, other };

    Kind kind = Kind::other;
    bool long_literal = false;  // the piece's is not in `literal`
    ShortText literal{};
    std::string_view LogRecord::*member = nullptr;
    const Piece* piece = nullptr;
  };

  [[nodiscard]] Step step_for(const Piece& piece) const {
    Step step{.piece = &piece};
    step.long_literal = piece.literal.size() > ShortText::most;
    if (!step.long_literal)
      step.literal.size = piece.literal.copy(step.literal.characters, ShortText::most);
    if (piece.kind != Piece::Kind::text || !piece.padding.idle() || controls_ != Controls::keep) {
      return step;
    }
    step.member = member_of(piece.field);
    if (step.member != nullptr) {
      step.kind = Step::Kind::member;
    } else if (piece.field == Attribute::asctime) {
      step.kind = Step::Kind::asctime;
    } else if (piece.field == Attribute::levelname) {
      step.kind = Step::Kind::levelname;
    }
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

  CONC_ALWAYS_INLINE std::string_view text_of(const LogRecord& record, const Step& step,
                                              std::string& room) const {
    switch (step.kind) {
      case Step::Kind::member:
        return record.*step.member;
      case Step::Kind::asctime:
        return date_format_.text(record.created, room);
      case Step::Kind::levelname:
        if (const auto name = detail::standard_level_name(record.level); !name.empty()) return name;
        break;
      case Step::Kind::other:
        break;
    }
    return text_of(record, *step.piece, room);
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

char* Formatter::write(const LogRecord& record, char* out, const char* limit) const {
  return pattern_->write(record, out, limit);
}

}  // namespace conc::logging

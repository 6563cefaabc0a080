#include "pattern.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <utility>

#include "cursor.hpp"

namespace conc::logging::detail {
namespace {

struct FieldName {
  std::string_view name;
  Attribute field;
};

constexpr std::array field_names{
    FieldName{"name", Attribute::name},
    FieldName{"levelno", Attribute::levelno},
    FieldName{"levelname", Attribute::levelname},
    FieldName{"pathname", Attribute::pathname},
    FieldName{"filename", Attribute::filename},
    FieldName{"module", Attribute::module_name},
    FieldName{"lineno", Attribute::lineno},
    FieldName{"funcName", Attribute::func_name},
    FieldName{"created", Attribute::created},
    FieldName{"asctime", Attribute::asctime},
    FieldName{"msecs", Attribute::msecs},
    FieldName{"relativeCreated", Attribute::relative_created},
    FieldName{"thread", Attribute::thread},
    FieldName{"threadName", Attribute::thread_name},
    FieldName{"process", Attribute::process},
    FieldName{"processName", Attribute::process_name},
    FieldName{"message", Attribute::message},
    FieldName{"fields", Attribute::fields},
    FieldName{"context", Attribute::context},
};

// No line needs more; it keeps a slip of the pen from filling the memory.
constexpr std::size_t max_width = 4096;

constexpr bool contains(std::string_view set, char c) {
  return set.find(c) != std::string_view::npos;
}

constexpr bool is_digit(char c) { return '0' <= c && c <= '9'; }

// What a field is when the pattern does not ask for anything else.
constexpr Piece::Kind natural_kind(Attribute field) {
  if (field >= Attribute::created) return Piece::Kind::real;
  if (field >= Attribute::levelno) return Piece::Kind::integer;
  return Piece::Kind::text;
}

class Compiler {
 public:
  explicit Compiler(std::string_view pattern) : pattern_(pattern), cursor_(pattern) {}

  std::vector<Piece> percent() {
    while (begin()) {
      const char c = cursor_.take();
      if (c != '%' || cursor_.skip('%')) {
        literal_ += c;
      } else if (cursor_.skip('(')) {
        percent_field();
      } else {
        fail("\"%\" begins no field; a percent sign is written \"%%\"");
      }
    }
    return finish();
  }

  std::vector<Piece> brace() {
    while (begin()) {
      const char c = cursor_.take();
      if ((c != '{' && c != '}') || cursor_.skip(c)) {
        literal_ += c;
      } else if (c == '{') {
        brace_field();
      } else {
        fail("\"}\" ends no field; a brace is written twice");
      }
    }
    return finish();
  }

 private:
  bool begin() {
    start_ = cursor_.position();
    field_name_.reset();
    return !cursor_.at_end();
  }

  // Ahead: field)[flags][width][.precision]conversion
  void percent_field() {
    const Attribute field = take_field(")");
    cursor_.skip(')');
    const std::string_view flags = cursor_.take_while("-+ #0");
    Padding padding;
    padding.align = contains(flags, '-') ? Padding::Align::left : Padding::Align::right;
    padding.width = take_width();
    if (cursor_.skip('.')) padding.precision = take_width();
    if (cursor_.at_end()) fail("the conversion is missing, \"s\" for instance");
    char conversion = cursor_.take();
    if (conversion == 's') return add_text(field, std::move(padding));
    if (natural_kind(field) == Piece::Kind::text) fail("text takes the conversion \"s\" alone");

    if (conversion == 'i' || conversion == 'u') conversion = 'd';
    const bool left = contains(flags, '-');
    const bool sign = contains(flags, '+') || contains(flags, ' ');
    bool zeros = contains(flags, '0') && !left;
    if (contains("dxXo", conversion)) {
      // So many digits at least. fmt has that only as a width that zeros fill.
      if (padding.precision != Padding::unlimited && padding.precision > 1) {
        std::size_t least = padding.precision + (sign ? 1 : 0);
        if (contains(flags, '#') && contains("xX", conversion)) least += 2;  // "0x"
        if (padding.width <= least) {
          zeros = true;
          padding.width = least;
        } else if (!zeros) {
          fail("an integer has no width beyond its precision but with the flag \"0\"");
        }
      }
      padding.precision = Padding::unlimited;
    }
    std::string spec;
    if (left && !zeros) spec += '<';
    if (sign) spec += contains(flags, '+') ? '+' : ' ';
    if (contains(flags, '#')) spec += '#';
    if (zeros) spec += '0';
    if (padding.width != 0) spec += std::to_string(padding.width);
    if (padding.precision != Padding::unlimited) spec += '.' + std::to_string(padding.precision);
    add_number(field, spec + conversion);
  }

  // Ahead: field[:specification]}
  void brace_field() {
    const Attribute field = take_field(":!}");
    std::string_view spec;
    if (cursor_.skip(':')) spec = cursor_.take_until("{}");
    if (!cursor_.skip('}')) fail("only \"}\" or \":\" and a specification may follow");
    if (natural_kind(field) == Piece::Kind::text) {
      add_text(field, text_padding(spec));
    } else {
      // Only the widths are looked at here, fmt judges the rest.
      for (Cursor rest(spec); !rest.at_end();) {
        if (rest.take_number(max_width) > max_width) fail_of_width();
        if (!rest.at_end()) rest.take();
      }
      add_number(field, std::string(spec));
    }
  }

  // [[fill]align][width][.precision][s]
  [[nodiscard]] Padding text_padding(std::string_view spec) const {
    constexpr std::string_view aligns = "<>^";
    Padding padding;
    const std::string_view fill = first_code_points(spec, 1);
    if (fill.size() < spec.size() && contains(aligns, spec[fill.size()])) {
      padding.fill = fill;
      spec.remove_prefix(fill.size());
    }
    Cursor rest(spec);
    if (!rest.at_end() && contains(aligns, rest.peek())) {
      const char align = rest.take();
      if (align == '>') padding.align = Padding::Align::right;
      if (align == '^') padding.align = Padding::Align::center;
    }
    bool good = rest.peek() != '0';
    padding.width = rest.take_number(max_width);
    if (rest.skip('.')) {
      good = good && is_digit(rest.peek());
      padding.precision = rest.take_number(max_width);
    }
    rest.skip('s');
    if (!good || !rest.at_end()) fail("the specification does not suit text");
    if (padding.width > max_width) fail_of_width();
    return padding;
  }

  void add_text(Attribute field, Padding padding) {
    end_literal();
    pieces_.push_back({Piece::Kind::text, field, {}, std::move(padding), {}});
    has_field_ = true;
  }

  // `spec` is for fmt, as it stands between "{:" and "}".
  void add_number(Attribute field, const std::string& spec) {
    Piece::Kind kind = natural_kind(field);
    // Without a type it ends with a width or precision, a sign, "#" or an alignment.
    const char type = spec.empty() ? '0' : spec.back();
    if (contains("dxXobB", type)) {
      kind = Piece::Kind::integer;
    } else if (contains("eEfFgGaA", type)) {
      kind = Piece::Kind::real;
    } else if (!is_digit(type) && !contains("+- #<>^", type)) {
      fail("the conversion does not suit a number");
    }
    const bool plain = spec.empty() || (spec == "d" && kind == Piece::Kind::integer);
    std::string format;
    if (!plain) {
      format = "{:" + spec + "}";
      try_out(kind, format);
    }
    end_literal();
    pieces_.push_back({kind, field, {}, {}, std::move(format)});
    has_field_ = true;
  }

  void try_out(Piece::Kind kind, const std::string& format) const {
    const long long integer = 0;
    const double real = 0;
    try {
      const std::string text = kind == Piece::Kind::integer
                                   ? fmt::vformat(format, fmt::make_format_args(integer))
                                   : fmt::vformat(format, fmt::make_format_args(real));
    } catch (const fmt::format_error& error) {
      fail(error.what());
    }
  }

  void end_literal() {
    if (literal_.empty()) return;
    if (pieces_.empty()) pieces_.emplace_back();
    pieces_.back().literal = std::exchange(literal_, {});
  }

  std::vector<Piece> finish() {
    if (!has_field_) {
      throw std::invalid_argument("conc::logging::Formatter: the pattern \"" +
                                  std::string(pattern_) +
                                  "\" has no field; is it meant for the other style?");
    }
    end_literal();
    return std::move(pieces_);
  }

  Attribute take_field(std::string_view ends) {
    field_name_ = cursor_.take_until(ends);
    if (cursor_.at_end()) fail("the field has no end");
    std::string known;
    for (const FieldName& one : field_names) {
      if (one.name == field_name_) return one.field;
      known.append(known.empty() ? "" : ", ").append(one.name);
    }
    fail("there is no such field; there are " + known);
  }

  std::size_t take_width() {
    const std::size_t width = cursor_.take_number(max_width);
    if (width > max_width) fail_of_width();
    return width;
  }

  [[noreturn]] void fail_of_width() const {
    fail("a width or precision is above " + std::to_string(max_width));
  }

  [[noreturn]] void fail(std::string_view why) const {
    std::string text = "conc::logging::Formatter: the pattern \"";
    text.append(pattern_).append("\" is wrong at position ").append(std::to_string(start_));
    if (field_name_) text.append(", field \"").append(*field_name_).append("\"");
    throw std::invalid_argument(text.append(": ").append(why).append("."));
  }

  const std::string_view pattern_;
  Cursor cursor_;
  std::size_t start_ = 0;                       // of what is being read
  std::optional<std::string_view> field_name_;  // when it is a field
  std::string literal_;                         // read, but not in pieces_ yet
  std::vector<Piece> pieces_;
  bool has_field_ = false;
};

}  // namespace

std::vector<Piece> compile_pattern(std::string_view pattern, Style style) {
  Compiler compiler(pattern);
  return style == Style::percent ? compiler.percent() : compiler.brace();
}

}  // namespace conc::logging::detail

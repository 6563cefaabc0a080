#include <conc/detail/short_copy.hpp>
#include <conc/logging/record.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <variant>

#include "record_memory.hpp"

namespace conc::logging {

std::string_view LogRecord::filename() const noexcept {
  const std::size_t slash = pathname.rfind('/');
  return slash == std::string_view::npos ? pathname : pathname.substr(slash + 1);
}

std::string_view LogRecord::module_name() const noexcept {
  const std::string_view file = filename();
  const std::size_t dot = file.rfind('.');
  // A leading dot begins a name, not an extension.
  return dot == std::string_view::npos || dot == 0 ? file : file.substr(0, dot);
}

OwnedRecord LogRecord::own() const { return OwnedRecord(*this); }

namespace {

// Memory that was measured before, handed out piece by piece. Each piece is a copy.
class Pieces {
 public:
  explicit Pieces(char* begin) : end_(begin) {}

  // Fields come first, since they are aligned. Their texts are those of the original.
  std::span<Field> copy(std::span<const Field> fields) {
    if (fields.empty()) return {};
    auto* const begin = reinterpret_cast<Field*>(end_);
    std::uninitialized_copy(fields.begin(), fields.end(), begin);
    end_ += fields.size_bytes();
    return {begin, fields.size()};
  }

  std::string_view copy(std::string_view text) {
    char* const begin = end_;
    end_ = conc::detail::copy_short(text.data(), text.size(), begin);
    return {begin, text.size()};
  }

  void copy_texts(std::span<Field> fields) {
    for (Field& field : fields) {
      field.name = copy(field.name);
      if (auto* const text = std::get_if<std::string_view>(&field.value)) *text = copy(*text);
    }
  }

 private:
  char* end_;
};

std::size_t size_of(std::span<const Field> fields) {
  std::size_t size = fields.size_bytes();
  for (const Field& field : fields) {
    size += field.name.size();
    if (const auto* const text = std::get_if<std::string_view>(&field.value)) size += text->size();
  }
  return size;
}

}  // namespace

static_assert(std::is_trivially_copyable_v<Field> && std::is_trivially_copyable_v<LogRecord>);
static_assert(alignof(Field) <= alignof(LogRecord) &&
              alignof(LogRecord) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);

OwnedRecord::OwnedRecord(const LogRecord& record) {
  const std::size_t size = sizeof(LogRecord) + size_of(record.fields) + size_of(record.context) +
                           record.name.size() + record.message.size() + record.exception.size() +
                           record.pathname.size() + record.func.size() + record.thread_name.size() +
                           record.process_name.size();
  auto* const begin = static_cast<char*>(detail::take_record_memory(size));
  Pieces pieces(begin + sizeof(LogRecord));
  const std::span<Field> fields = pieces.copy(record.fields);
  const std::span<Field> context = pieces.copy(record.context);
  // Member by member, as it was written: a processor waits for what it has just written, if it
  // reads it in larger pieces.
  record_.reset(::new (begin) LogRecord{
      .name = pieces.copy(record.name),
      .level = record.level,
      .message = pieces.copy(record.message),
      .exception = pieces.copy(record.exception),
      .pathname = pieces.copy(record.pathname),
      .func = pieces.copy(record.func),
      .lineno = record.lineno,
      .created = record.created,
      .relative_created = record.relative_created,
      .thread = record.thread,
      .thread_name = pieces.copy(record.thread_name),
      .process = record.process,
      .process_name = pieces.copy(record.process_name),
      .fields = fields,
      .context = context,
  });
  pieces.copy_texts(fields);
  pieces.copy_texts(context);
}

void OwnedRecord::Free::operator()(LogRecord* record) const noexcept {
  detail::give_record_memory(record);
}

}  // namespace conc::logging

#include <conc/detail/short_copy.hpp>
#include <conc/logging/record.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <new>
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

// Memory that was measured before, handed out piece by piece.
class Pieces {
 public:
  explicit Pieces(char* begin) : end_(begin) {}

  // Each copies `from`, and has `to` be the copy.

  // Fields come first, since they are aligned.
  void copy(std::span<const Field> from, std::span<const Field>& to) {
    auto* const begin = reinterpret_cast<Field*>(end_);
    std::uninitialized_copy(from.begin(), from.end(), begin);
    end_ += from.size_bytes();
    to = {begin, from.size()};
  }

  void copy(std::string_view from, std::string_view& to) {
    char* const begin = end_;
    end_ = conc::detail::copy_short(from.data(), from.size(), begin);
    to = {begin, from.size()};
  }

  void copy_texts(std::span<const Field> fields) {
    for (const Field& constant : fields) {
      Field& field = const_cast<Field&>(constant);  // the copies above
      copy(field.name, field.name);
      if (auto* const text = std::get_if<std::string_view>(&field.value)) copy(*text, *text);
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
  const std::array texts{&LogRecord::name,        &LogRecord::message, &LogRecord::exception,
                         &LogRecord::pathname,    &LogRecord::func,    &LogRecord::thread_name,
                         &LogRecord::process_name};
  std::size_t size = sizeof(LogRecord) + size_of(record.fields) + size_of(record.context);
  for (const auto text : texts) size += (record.*text).size();
  auto* const begin = static_cast<char*>(detail::take_record_memory(size));
  LogRecord& copy = *::new (begin) LogRecord(record);
  record_.reset(&copy);
  // Read from the original: a processor waits for what it has just written in larger pieces.
  Pieces pieces(begin + sizeof(LogRecord));
  pieces.copy(record.fields, copy.fields);
  pieces.copy(record.context, copy.context);
  for (const auto text : texts) pieces.copy(record.*text, copy.*text);
  pieces.copy_texts(copy.fields);
  pieces.copy_texts(copy.context);
}

void OwnedRecord::Free::operator()(LogRecord* record) const noexcept {
  detail::give_record_memory(record);
}

}  // namespace conc::logging

#include <conc/detail/machine.hpp>
#include <conc/detail/short_copy.hpp>
#include <conc/logging/record.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <variant>

#include "record_memory.hpp"
#include "write_message.hpp"

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

using detail::KeptRecord;
using detail::PlainValue;
using detail::PlainValues;

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

  // Returns where the part that is left out begins.
  char* skip(std::size_t size) {
    char* const begin = end_;
    end_ += size;
    return begin;
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

static_assert(std::is_trivially_copyable_v<Field> && std::is_trivially_copyable_v<LogRecord>);
static_assert(alignof(Field) <= alignof(KeptRecord) &&
              alignof(KeptRecord) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);

// Behind the record: fields, the message, the other texts. In place of a message that lacks its
// values: those, then the format, then their texts; the finished message will take the place of all
// that.
KeptRecord* keep(const LogRecord& record, const PlainValues* values) {
  const bool has_fields = !record.fields.empty() || !record.context.empty();
  std::size_t values_size = 0;
  std::size_t message_size = record.message.size();
  if (values != nullptr) {
    values_size = values->number * sizeof(PlainValue);
    message_size = std::max(values_size + message_size + values->texts, values->room);
  }
  std::size_t size = sizeof(KeptRecord) + message_size + record.name.size() +
                     record.exception.size() + record.pathname.size() + record.func.size() +
                     record.thread_name.size() + record.process_name.size();
  if (has_fields) [[unlikely]] {
    size += size_of(record.fields) + size_of(record.context);
  }

  auto* const begin = static_cast<char*>(detail::take_record_memory(size));
  Pieces pieces(begin + sizeof(KeptRecord));
  std::span<Field> fields;
  std::span<Field> context;
  if (has_fields) [[unlikely]] {
    fields = pieces.copy(record.fields);
    context = pieces.copy(record.context);
  }
  char* const message_place = pieces.skip(message_size);
  Pieces in_message(message_place + values_size);
  const std::string_view message = in_message.copy(record.message);
  if (values != nullptr) {
    auto* copy = reinterpret_cast<PlainValue*>(message_place);
    for (const PlainValue& value : std::span(values->first, values->number)) {
      ::new (copy++)
          PlainValue(value.is_text() ? PlainValue(in_message.copy(value.text())) : value);
    }
  }
  // Member by member, as it was written: a processor waits for what it has just written, if it
  // reads it in larger pieces.
  auto* const kept = ::new (begin) KeptRecord{
      .record =
          {
              .name = pieces.copy(record.name),
              .level = record.level,
              .message = message,
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
          },
      .places = values != nullptr ? values->places : 0,
  };
  if (has_fields) [[unlikely]] {
    pieces.copy_texts(fields);
    pieces.copy_texts(context);
  }
  return kept;
}

}  // namespace

OwnedRecord::OwnedRecord(const LogRecord& record, const PlainValues* values)
    : kept_(keep(record, values)) {}

OwnedRecord::OwnedRecord(const LogRecord& record) : OwnedRecord(record, nullptr) {}

void OwnedRecord::finish() const noexcept {
  auto& state = kept_->places;
  std::uint64_t places = state.load(std::memory_order_relaxed);
  if (places != 0 && places != detail::not_plain &&
      state.compare_exchange_strong(places, detail::not_plain, std::memory_order_acquire)) {
    LogRecord& record = kept_->record;
    char* const place = reinterpret_cast<char*>(kept_.get() + 1) + record.fields.size_bytes() +
                        record.context.size_bytes();
    char room[detail::plain_room];
    const char* const end = detail::write_message(
        record.message, {.places = places, .first = reinterpret_cast<const PlainValue*>(place)},
        room);
    const auto size = static_cast<std::size_t>(end - room);
    std::memcpy(place, room, size);
    record.message = {place, size};
    state.store(0, std::memory_order_release);
  }
  while (state.load(std::memory_order_acquire) != 0) conc::detail::cpu_yield();
}

void OwnedRecord::Free::operator()(KeptRecord* kept) const noexcept {
  detail::give_record_memory(kept);
}

}  // namespace conc::logging

// LogRecord: what there is to say about one logging call.
#pragma once

#include <conc/detail/machine.hpp>
#include <conc/detail/queue_items.hpp>
#include <conc/export.hpp>
#include <conc/logging/field.hpp>
#include <conc/logging/level.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace conc::logging {

class OwnedRecord;

namespace detail {
struct PlainValues;
}

// Made by the logger for one call, and shown by reference to filters, formatters and handlers.
//
// All text is borrowed: it is there until the call that received the record returns. Who wants to
// keep a record, or to hand it to another thread, takes own() of it.
//
// Python: logging.LogRecord
struct LogRecord {
  std::string_view name = {};  // the logger's
  Level level = Level::notset;
  std::string_view message = {};    // finished: the arguments are in it
  std::string_view exception = {};  // "Type: what()" and what caused it, or ""

  std::string_view pathname = {};  // of the source file, as the compiler was given it
  std::string_view func = {};
  std::uint32_t lineno = 0;  // from 1; 0 means unknown

  // Within a microsecond of the system's clock; after that is set, within a tenth of a millisecond.
  // Those of one thread do not go back, unless the clock does.
  std::chrono::system_clock::time_point created = {};
  std::chrono::nanoseconds relative_created{0};  // since the program's first use of logging

  std::uint64_t thread = 0;  // as conc::get_ident() has it
  std::string_view thread_name = {};
  std::int64_t process = 0;  // the operating system's number
  std::string_view process_name = {};

  std::span<const Field> fields = {};   // of the call, and of the LoggerAdapter before it
  std::span<const Field> context = {};  // of the thread, see Context

  // The last component of `pathname`.
  [[nodiscard]] CONC_LOGGING_EXPORT std::string_view filename() const noexcept;

  // The file name without its last extension.
  [[nodiscard]] CONC_LOGGING_EXPORT std::string_view module_name() const noexcept;

  // A copy with text of its own.
  // Throws std::bad_alloc.
  // Cost: one allocation at most; none, when memory of an earlier copy is at hand.
  [[nodiscard]] CONC_LOGGING_EXPORT OwnedRecord own() const;
};

namespace detail {

// What it refers to stands behind it. Whether it is finished:
//
//   0           it is; for ever
//   places      its message is a format string, see places_of(), and lacks the values
//   not_plain   a thread puts them in, and others wait, for less than a microsecond
//
// It is finished by the first who looks at it. What that thread wrote is released by the last step,
// and acquired by who finds it done.
struct KeptRecord {
  LogRecord record;
  conc::detail::Atomic<std::uint64_t> places;
};

}  // namespace detail

// A record to keep. Moving it moves the text along; record() and what is in it stay where they are
// until the OwnedRecord that holds them then is destroyed or assigned to. One that was moved from
// has no record(). To copy, own() once more.
class OwnedRecord {
 public:
  CONC_LOGGING_EXPORT explicit OwnedRecord(const LogRecord& record);

  // May be called by any number of threads at once.
  // Cost: one load; the first call for a record that a QueueHandler made may format the message.
  [[nodiscard]] const LogRecord& record() const noexcept {
    if (kept_->places.load(std::memory_order_acquire) != 0) finish();
    return kept_->record;
  }

 private:
  friend class QueueHandler;

  struct Free {
    CONC_LOGGING_EXPORT void operator()(detail::KeptRecord* kept) const noexcept;
  };

  OwnedRecord(const LogRecord& record, const detail::PlainValues* values);

  CONC_LOGGING_EXPORT void finish() const noexcept;

  std::unique_ptr<detail::KeptRecord, Free> kept_;
};

}  // namespace conc::logging

// So a queue of records keeps them in its slots.
template <>
inline constexpr bool conc::detail::hollow_once_moved<conc::logging::OwnedRecord> = true;

// Draft: a record on its way from the logging call to the handlers.
#pragma once

#include <conc/logging/filter.hpp>
#include <conc/logging/plain_message.hpp>
#include <conc/logging/record.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "filtered.hpp"
#include "write_message.hpp"

namespace conc::logging::detail {

// Refers to the record. Its message is formatted when somebody wants to see it, and filters may put
// another record in its place.
class Draft {
 public:
  // A finished record.
  explicit Draft(const LogRecord& record) noexcept : record_(&record) {}

  // One whose message is that of `record` with the values in their places, if there are any.
  Draft(LogRecord&& record, const PlainValues* values) noexcept
      : record_(&record), unfinished_(&record), values_(values) {}

  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  // As it is, and what its message lacks; null when it is finished.
  [[nodiscard]] const LogRecord& record() const noexcept { return *record_; }
  [[nodiscard]] const PlainValues* values() const noexcept { return values_; }

  [[nodiscard]] const LogRecord& finished() noexcept {
    if (values_ != nullptr) {
      std::string_view& message = unfinished_->message;
      const char* const end = write_message(message, *values_, room_);
      message = {room_, static_cast<std::size_t>(end - room_)};
      values_ = nullptr;
    }
    return *record_;
  }

  // False when one of the filters holds it back. Throws what the filters throw.
  [[nodiscard]] bool passes(const std::vector<std::shared_ptr<const Filter>>& filters) {
    record_ = filtered(filters, finished(), replaced_);
    return record_ != nullptr;
  }

 private:
  const LogRecord* record_;
  LogRecord* unfinished_ = nullptr;  // the same, if its message has to be finished
  const PlainValues* values_ = nullptr;
  std::optional<OwnedRecord> replaced_;
  char room_[plain_room];  // for the finished message
};

}  // namespace conc::logging::detail

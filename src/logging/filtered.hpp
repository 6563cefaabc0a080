// Filtered: a record on its way through filters, each of which may put another in its place.
#pragma once

#include <conc/logging/filter.hpp>
#include <conc/logging/record.hpp>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace conc::logging::detail {

class Filtered {
 public:
  // Refers to the record.
  explicit Filtered(const LogRecord& record) noexcept : record_(&record) {}

  Filtered(const Filtered&) = delete;
  Filtered& operator=(const Filtered&) = delete;

  // False when one of the filters holds it back. Throws what the filters throw.
  [[nodiscard]] bool passes(const std::vector<std::shared_ptr<const Filter>>& filters) {
    for (const auto& filter : filters) {
      if (filter->replaces()) {
        std::optional<OwnedRecord> next = filter->replacement(*record_);
        if (!next) return false;
        replaced_ = std::move(next);
        record_ = &replaced_->record();
      } else if (!filter->accepts(*record_)) {
        return false;
      }
    }
    return true;
  }

  // What is left of it.
  [[nodiscard]] const LogRecord& record() const noexcept { return *record_; }

 private:
  const LogRecord* record_;
  std::optional<OwnedRecord> replaced_;
};

}  // namespace conc::logging::detail

#include <conc/logging/filter.hpp>

#include <stdexcept>
#include <utility>

#include "filtered.hpp"

namespace conc::logging {

Filter::Filter(std::string name) : name_(std::move(name)) {}

Filter::Filter(Predicate passes) : passes_(std::move(passes)) {
  if (!passes_) {
    throw std::invalid_argument("conc::logging::Filter: the predicate must not be empty.");
  }
}

Filter::Filter(Replacement replace) : replace_(std::move(replace)) {
  if (!replace_) {
    throw std::invalid_argument("conc::logging::Filter: the replacement must not be empty.");
  }
}

std::optional<OwnedRecord> Filter::replacement(const LogRecord& record) const {
  return replace_ ? replace_(record) : std::nullopt;
}

bool Filter::accepts(const LogRecord& record) const {
  if (replace_) return replace_(record).has_value();
  if (passes_) return passes_(record);
  if (name_.empty()) return true;
  if (!record.name.starts_with(name_)) return false;
  return record.name.size() == name_.size() || record.name[name_.size()] == '.';
}

const LogRecord* detail::filtered(const std::vector<std::shared_ptr<const Filter>>& filters,
                                  const LogRecord& record, std::optional<OwnedRecord>& replaced) {
  const LogRecord* passing = &record;
  for (const auto& filter : filters) {
    if (filter->replaces()) {
      std::optional<OwnedRecord> next = filter->replacement(*passing);
      if (!next) return nullptr;
      replaced = std::move(next);
      passing = &replaced->record();
    } else if (!filter->accepts(*passing)) {
      return nullptr;
    }
  }
  return passing;
}

}  // namespace conc::logging

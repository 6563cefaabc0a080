// What is left of a record behind filters.
#pragma once

#include <conc/logging/filter.hpp>
#include <conc/logging/record.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace conc::logging::detail {

// The record that passes: `record`, or the last of those that filters put in its place, which is
// kept in `replaced` then. Null if one of them holds it back. Throws what the filters throw.
[[nodiscard]] const LogRecord* filtered(const std::vector<std::shared_ptr<const Filter>>& filters,
                                        const LogRecord& record,
                                        std::optional<OwnedRecord>& replaced);

}  // namespace conc::logging::detail

// Filter: says which records pass, and may change them.
#pragma once

#include <conc/export.hpp>
#include <conc/logging/record.hpp>

#include <functional>
#include <optional>
#include <string>

namespace conc::logging {

// Put on a logger, it sees the records logged on that very logger; put on a handler, all that come
// to the handler. A record must pass every filter.
//
// Filters are called by the threads that log, by several at once, with no lock held. One may log
// itself. What a filter throws is reported as an error of the handler, or of the logger, that it is
// on; the record does not pass then.
//
// Python: logging.Filter
class CONC_LOGGING_EXPORT Filter {
 public:
  using Predicate = std::function<bool(const LogRecord&)>;
  using Replacement = std::function<std::optional<OwnedRecord>(const LogRecord&)>;

  // Passes the records of the logger `name` and of those below it; "" passes all.
  explicit Filter(std::string name);

  // Passes the records for which `passes` returns true.
  // Throws std::invalid_argument when `passes` is empty.
  explicit Filter(Predicate passes);

  // Passes the record that `replace` returns instead of the one that it is given, to the filters
  // behind it, the handler, and, from a logger's filter, to all handlers; none when it returns
  // none:
  //
  //   const auto filter = std::make_shared<logging::Filter>([](const logging::LogRecord& record) {
  //     logging::LogRecord changed = record;
  //     const std::string text = without_passwords(record.message);
  //     changed.message = text;
  //     return std::optional(changed.own());
  //   });
  //
  // Throws std::invalid_argument when `replace` is empty.
  // Python: a filter that returns a record, since 3.12
  explicit Filter(Replacement replace);

  // Whether the record, or one in its place, passes.
  // Throws what the callable throws.
  [[nodiscard]] bool accepts(const LogRecord& record) const;

  // The record that takes the place of `record`, if the filter replaces records and one passes.
  // Throws what the callable throws.
  [[nodiscard]] std::optional<OwnedRecord> replacement(const LogRecord& record) const;
  [[nodiscard]] bool replaces() const noexcept { return replace_ != nullptr; }

 private:
  std::string name_;
  // At most one of them is there; none: by name.
  Predicate passes_;
  Replacement replace_;
};

}  // namespace conc::logging

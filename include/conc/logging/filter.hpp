// Filter: says which records pass.
#pragma once

#include <conc/export.hpp>
#include <conc/logging/record.hpp>

#include <functional>
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

  // Passes the records of the logger `name` and of those below it; "" passes all.
  explicit Filter(std::string name);

  // Passes the records for which `passes` returns true.
  // Throws std::invalid_argument when `passes` is empty.
  explicit Filter(Predicate passes);

  // Whether the record passes.
  // Throws what the predicate throws.
  [[nodiscard]] bool accepts(const LogRecord& record) const;

 private:
  std::string name_;
  Predicate passes_;  // empty: by name
};

}  // namespace conc::logging

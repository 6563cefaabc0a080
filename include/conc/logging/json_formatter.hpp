// JsonFormatter: a record as a line of JSON.
#pragma once

#include <conc/export.hpp>
#include <conc/logging/formatter.hpp>
#include <conc/logging/record.hpp>

#include <string>

namespace conc::logging {

// One object on one line, valid JSON in valid UTF-8 whatever the record holds:
//
//   {"time":"2024-05-31T18:07:59.042137Z","level":"INFO","logger":"shop","message":"sent 3 files",
//    "file":"shop.cpp","line":12,"function":"send","thread":"MainThread","threadId":1,
//    "process":4711,"fields":{"bytes":1200,"to":"a.example"}}
//
// The time is in UTC. "fields", "context" and "exception" are there when the record has them, and
// "file", "line" and "function" when the call's place is known. Bytes that are not UTF-8 become
// U+FFFD; control characters are escaped, those that terminals obey among them.
//
// Python: none; the usual recipe in its cookbook.
class CONC_LOGGING_EXPORT JsonFormatter : public Formatter {
 public:
  JsonFormatter();
  ~JsonFormatter() override;

  // Cost: allocates only when `out` grows.
  void format(const LogRecord& record, std::string& out) const override;
};

}  // namespace conc::logging

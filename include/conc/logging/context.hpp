// Context: fields that every record of a thread carries for a while.
#pragma once

#include <conc/export.hpp>
#include <conc/logging/field.hpp>

#include <initializer_list>

namespace conc::logging {

namespace detail {
class ContextNode;
}

// As long as it lives, every record that its thread logs has these fields in its context, and those
// of the contexts around it; of two fields of one name, the inner:
//
//   void serve(const Request& request) {
//     const logging::Context context{{"request", request.id}, {"user", request.user}};
//     log.info("begin");                              // %(context)s: request=17 user=ann
//     pool.submit([] { log.info("on it"); }).wait();  // the same, in the pool
//   }
//
// It goes along with everything that the thread submits to an executor meanwhile, and is there
// while the task runs, however long after the end of this object. Handlers see it in
// LogRecord::context, patterns as %(context)s, and JsonFormatter writes it.
//
// An object on the stack: destroyed by the thread that made it, the latest first.
//
// Python: a contextvars.ContextVar and a filter that puts it into the record.
class CONC_LOGGING_EXPORT Context {
 public:
  // Throws std::bad_alloc.
  // Cost: copies the fields of the contexts around it.
  Context(std::initializer_list<FieldItem> fields);
  ~Context();

  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

 private:
  detail::ContextNode* const before_;  // what was in force
};

}  // namespace conc::logging

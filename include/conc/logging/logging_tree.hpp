// logging_tree: what is configured, for people to read.
#pragma once

#include <conc/export.hpp>

#include <ostream>

namespace conc::logging {

// Writes all loggers as a tree, with their levels and handlers, and how many records these have
// lost and dropped:
//
//   root: WARNING
//     StreamHandler stderr
//     db: NOTSET, effective WARNING, does not propagate
//       QueueHandler, level ERROR, 2 lost, 5 dropped
//
// Throws std::bad_alloc and what the stream throws.
// Python: the package logging_tree.
CONC_LOGGING_EXPORT void logging_tree(std::ostream& out);

}  // namespace conc::logging

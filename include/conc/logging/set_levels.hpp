// set_levels: the levels of many loggers in one line of text.
#pragma once

#include <conc/export.hpp>

#include <string_view>

namespace conc::logging {

// Sets the levels of loggers, of those that are made later as well:
//
//   set_levels("root=warning, db=info, db.pool.*=debug");
//
//   db=info         the logger db, and with it those below that have no level of their own
//   db.pool.*=debug each logger below db.pool
//   *=error         each logger but the root
//
// A level is a name in capitals or not, or a number. Where two rules are about one logger, the
// later counts; set_level() may change any of them afterwards.
//
// The environment variable CONC_LOG is read like this at the program's first use of logging. A rule
// there that is wrong is named on stderr, and the others count. When CONC_LOG has a rule for the
// root, basic_config() leaves the root's level alone.
//
// Throws std::invalid_argument that names the rule when one is wrong, and nothing is changed;
// std::bad_alloc.
// Cost: visits all loggers; and a logger that is made later looks at all rules.
// Python: none.
CONC_LOGGING_EXPORT void set_levels(std::string_view rules);

}  // namespace conc::logging

// The dump of a snapshot, where no stream of the program is at hand.
#pragma once

#include <conc/diagnostics.hpp>

namespace conc::detail {

// Writes it to stderr at once, so that lines of others do not come in between. When there is no
// memory for the text, a line that says so.
void dump_to_stderr(const Snapshot& seen) noexcept;

// The same with a snapshot of this moment, for which there may be no memory either.
void dump_to_stderr() noexcept;

}  // namespace conc::detail

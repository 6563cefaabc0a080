// Which handlers to close when the program ends.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace conc::logging {
class Handler;
}

namespace conc::logging::detail {

// shutdown() flushes and closes the handler if it is still alive by then. Handlers with a larger
// `serial` come first. May be called again for the same one.
// Throws std::bad_alloc.
void close_at_shutdown(std::uint64_t serial, const std::shared_ptr<Handler>& handler);

// Writes to stderr that the handler could not be closed, say, and why. Called in a catch block.
void complain_of_failure(const Handler& handler, std::string_view what) noexcept;

// Keep other threads out of the list, and let them in again; for fork().
void lock_roster();
void unlock_roster();

}  // namespace conc::logging::detail

#include <conc/logging/basic_config.hpp>
#include <conc/logging/root.hpp>

#include "complaint.hpp"

namespace conc::logging::detail {

Logger& configured_root() {
  static Logger& root = get_logger();
  if (!root.has_handlers()) {
    try {
      basic_config({});
    } catch (...) {
      // The record goes to the last resort then.
      complain({"basic_config: ", describe_current_exception()});
    }
  }
  return root;
}

}  // namespace conc::logging::detail

#include <conc/logging/basic_config.hpp>
#include <conc/logging/root.hpp>

#include "complaint.hpp"
#include "tree.hpp"

namespace conc::logging::detail {

Logger& configured_root() {
  Logger& root = Tree::instance().root();
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

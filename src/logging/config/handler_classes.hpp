// How configurations make conc's own handlers.
#pragma once

#include <conc/logging/config.hpp>

#include <map>
#include <string>

namespace conc::logging::detail {

// By the names of the classes, without module or namespace.
[[nodiscard]] std::map<std::string, HandlerFactory> own_handler_classes();

}  // namespace conc::logging::detail

// What classes a configuration may name.
#pragma once

#include <conc/logging/config.hpp>

#include <string_view>

namespace conc::logging::detail {

// Null for an unknown class. What is found stays.
[[nodiscard]] const HandlerFactory* handler_class(std::string_view name);
[[nodiscard]] const FormatterFactory* formatter_class(std::string_view name);
[[nodiscard]] const FilterFactory* filter_class(std::string_view name);

}  // namespace conc::logging::detail

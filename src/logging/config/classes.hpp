// What classes a configuration may name.
#pragma once

#include <conc/logging/config.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace conc::logging::detail {

// Null for an unknown class.
[[nodiscard]] std::shared_ptr<const HandlerFactory> handler_class(std::string_view name);
[[nodiscard]] std::shared_ptr<const FormatterFactory> formatter_class(std::string_view name);
[[nodiscard]] std::shared_ptr<const FilterFactory> filter_class(std::string_view name);

}  // namespace conc::logging::detail

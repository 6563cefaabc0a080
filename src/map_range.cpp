#include <conc/errors.hpp>
#include <conc/map_range.hpp>

#include <stdexcept>
#include <string>

#include "detail/message.hpp"

namespace conc::detail {

void throw_zero_map_option(const char* option) {
  throw std::invalid_argument(
      message("Executor", nullptr,
              std::string("got map() with ") + option + " = 0; it must be at least 1"));
}

void throw_map_begun() {
  throw UsageError(
      message("MapRange", nullptr,
              "got begin() for the second time; the results can be gone through once"));
}

}  // namespace conc::detail

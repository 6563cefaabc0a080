#include <conc/errors.hpp>
#include <conc/resource_pool.hpp>

#include <stdexcept>

#include "detail/message.hpp"

namespace conc::detail {

void throw_cannot_lend(const char* name, const char* why) {
  throw std::invalid_argument(message("ResourcePool", name, why));
}

void throw_none_lent(const char* name, bool stop_requested) {
  if (stop_requested) {
    throw Stopped(
        message("ResourcePool", name, "had nothing to lend before the stop was requested"));
  }
  throw TimeoutError(
      message("ResourcePool", name, "has lent all resources, and none came back in time"));
}

}  // namespace conc::detail

#include <conc/bounded_semaphore.hpp>
#include <conc/errors.hpp>

#include <stdexcept>
#include <string>

#include "detail/message.hpp"

namespace conc {

std::ptrdiff_t BoundedSemaphore::throw_negative(std::ptrdiff_t permits, const char* name) {
  throw std::invalid_argument(
      detail::message("BoundedSemaphore", name,
                      "was made with " + std::to_string(permits) + " permits; it takes 0 or more"));
}

void BoundedSemaphore::throw_refused(std::ptrdiff_t n) const {
  const std::string got = "got release(" + std::to_string(n) + ")";
  if (n < 1) {
    throw std::invalid_argument(
        detail::message("BoundedSemaphore", name(), got + "; it takes 1 or more"));
  }
  throw UsageError(detail::message("BoundedSemaphore", name(),
                                   got + ", which would make more permits free than the " +
                                       std::to_string(bound()) +
                                       " it started with; release only what was acquired"));
}

}  // namespace conc

#include <conc/errors.hpp>
#include <conc/rlock.hpp>

#include <string>

#include "detail/message.hpp"

namespace conc {

void RLock::throw_stranger() const {
  throw UsageError(detail::message(
      "RLock", name(),
      locked() ? "was released by a thread that does not hold it; only its holder may release it"
               : "was released while it was free; acquire it first"));
}

void RLock::throw_too_deep() const {
  throw UsageError(detail::message(
      "RLock", name(),
      "is held " + std::to_string(max_depth) + " times over, which is as often as it can be"));
}

}  // namespace conc

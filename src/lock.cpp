#include <conc/errors.hpp>
#include <conc/lock.hpp>

#include "detail/message.hpp"

namespace conc {

void Lock::throw_free() const {
  throw UsageError(
      detail::message("Lock", name(), "was released while it was free; acquire it first"));
}

}  // namespace conc

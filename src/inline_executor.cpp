#include <conc/errors.hpp>
#include <conc/inline_executor.hpp>

#include "detail/host.hpp"
#include "detail/message.hpp"

namespace conc {

InlineExecutor::~InlineExecutor() = default;

void InlineExecutor::enqueue(detail::JobChain& jobs) {
  if (closed_.load(std::memory_order_acquire)) {
    throw UsageError(detail::message("InlineExecutor", nullptr,
                                     "got a call to run after shutdown(); submit before that"));
  }
  const detail::GuestJob guest;
  while (!jobs.empty()) jobs.pop_front().run();
}

void InlineExecutor::close(bool, bool) { closed_.store(true, std::memory_order_release); }

std::size_t InlineExecutor::concurrency() const noexcept { return 1; }

}  // namespace conc

// InlineExecutor: runs calls at once.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/machine.hpp>
#include <conc/executor.hpp>

#include <cstddef>

namespace conc {

// Runs each call in submit(), in the submitting thread: the future is done when submit() returns.
// For tests, for debugging, and for code that is given an executor where no second thread is
// wanted.
//
// shutdown() waits for nobody: a thread that is inside submit() ends its call.
//
// Python: none in concurrent.futures; the executor of its own test suite.
class CONC_EXPORT InlineExecutor final : public Executor {
 public:
  InlineExecutor() noexcept = default;
  ~InlineExecutor() override;

 private:
  void enqueue(detail::JobChain& jobs) override;
  void close(bool wait, bool cancel_futures) override;
  [[nodiscard]] std::size_t concurrency() const noexcept override;

  detail::Atomic<bool> closed_{false};  // set by shutdown(), for ever
};

}  // namespace conc

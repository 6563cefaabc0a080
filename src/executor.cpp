#include <conc/executor.hpp>

namespace conc {

Executor::~Executor() = default;

void Executor::give(detail::PostJob& job) {
  detail::JobChain jobs(job);
  try {
    enqueue(jobs);
  } catch (...) {
    job.drop(detail::Drop::cancelled);
    throw;
  }
}

namespace detail {

void enqueue(Executor& executor, JobChain& jobs) { executor.enqueue(jobs); }

}  // namespace detail
}  // namespace conc

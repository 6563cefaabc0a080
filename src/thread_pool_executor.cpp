#include <conc/thread_pool_executor.hpp>

#include <utility>

#include "detail/pool.hpp"

namespace conc {

ThreadPoolExecutor::ThreadPoolExecutor(std::ptrdiff_t max_workers)
    : ThreadPoolExecutor(ThreadPoolOptions{.max_workers = max_workers}) {}

ThreadPoolExecutor::ThreadPoolExecutor(ThreadPoolOptions options)
    : pool_(std::make_shared<detail::Pool>(std::move(options))) {}

ThreadPoolExecutor::~ThreadPoolExecutor() { pool_->close_for_good(); }

void ThreadPoolExecutor::enqueue(detail::JobChain& jobs) { pool_->enqueue(jobs); }

void ThreadPoolExecutor::close(bool wait, bool cancel_futures) { pool_->close(wait, cancel_futures); }

}  // namespace conc

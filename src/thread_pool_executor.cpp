#include <conc/thread_pool_executor.hpp>

#include <stdexcept>
#include <string>
#include <utility>

#include "detail/message.hpp"
#include "detail/pool.hpp"

namespace conc {

class ThreadPoolExecutor::Lane final : public Executor {
 public:
  Lane(detail::Pool& pool, std::size_t priority) noexcept
      : pool_(pool), priority_(static_cast<std::uint8_t>(priority)) {}

 private:
  void enqueue(detail::JobChain& jobs) override { pool_.enqueue(jobs, priority_); }
  void close(bool wait, bool cancel_futures) override { pool_.close(wait, cancel_futures); }
  [[nodiscard]] std::size_t concurrency() const noexcept override { return pool_.max_workers(); }

  detail::Pool& pool_;
  const std::uint8_t priority_;
};

ThreadPoolExecutor::ThreadPoolExecutor(std::ptrdiff_t max_workers)
    : ThreadPoolExecutor(ThreadPoolOptions{.max_workers = max_workers}) {}

ThreadPoolExecutor::ThreadPoolExecutor(ThreadPoolOptions options)
    : pool_(std::make_shared<detail::Pool>(std::move(options))) {
  lanes_.reserve(pool_->lanes());
  for (std::size_t i = 0; i < pool_->lanes(); ++i)
    lanes_.push_back(std::make_unique<Lane>(*pool_, i));
}

ThreadPoolExecutor::~ThreadPoolExecutor() { pool_->close_for_good(); }

Executor& ThreadPoolExecutor::lane(std::size_t priority) {
  if (priority >= lanes_.size()) {
    throw std::invalid_argument(detail::message("ThreadPoolExecutor", nullptr,
                                                "got lane(" + std::to_string(priority) +
                                                    ") and has " + std::to_string(lanes_.size()) +
                                                    " lanes"));
  }
  return *lanes_[priority];
}

void ThreadPoolExecutor::pause() { pool_->pause(); }
void ThreadPoolExecutor::resume() { pool_->resume(); }
ThreadPoolStats ThreadPoolExecutor::stats() const { return pool_->stats(); }
std::size_t ThreadPoolExecutor::max_workers() const noexcept { return pool_->max_workers(); }

void ThreadPoolExecutor::enqueue(detail::JobChain& jobs) {
  pool_->enqueue(jobs, pool_->middle_lane());
}
void ThreadPoolExecutor::close(bool wait, bool cancel_futures) {
  pool_->close(wait, cancel_futures);
}
std::size_t ThreadPoolExecutor::concurrency() const noexcept { return pool_->max_workers(); }

}  // namespace conc

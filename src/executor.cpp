#include <conc/executor.hpp>

#include <algorithm>
#include <exception>
#include <mutex>
#include <vector>

namespace conc {
namespace {

// The work of one parallel_for, shared by those who take part.
class Shares {
 public:
  Shares(std::size_t count, std::size_t grain) noexcept : count_(count), grain_(grain) {}

  // Works as long as there is something left.
  template <class Work>
  void work(Work&& do_stretch) noexcept {
    try {
      // Never past the end, where it could come round to the beginning.
      std::size_t begin = next_.load(std::memory_order_relaxed);
      while (begin != count_) {
        const std::size_t end = begin + std::min(grain_, count_ - begin);
        if (next_.compare_exchange_weak(begin, end, std::memory_order_relaxed)) {
          do_stretch(begin, end);
          begin = next_.load(std::memory_order_relaxed);
        }
      }
    } catch (...) {
      next_.store(count_, std::memory_order_relaxed);  // nobody takes more
      const std::lock_guard lock(mutex_);
      if (!first_error_) first_error_ = std::current_exception();
    }
  }

  // When nobody works any more.
  void rethrow() const {
    if (first_error_) std::rethrow_exception(first_error_);
  }

 private:
  const std::size_t count_;
  const std::size_t grain_;
  detail::Atomic<std::size_t> next_{0};
  detail::Mutex mutex_;
  std::exception_ptr first_error_;  // guarded by mutex_
};

// How many stretches there are for each thread: enough for the quick ones to make up for the slow.
constexpr std::size_t stretches_each = 8;

}  // namespace

Executor::~Executor() = default;

void Executor::give(detail::Job& job) {
  detail::Job* given = &job;
  try {
    given = &detail::with_carried(job);
    detail::JobChain jobs(*given);
    enqueue(jobs);
  } catch (...) {
    given->drop(detail::Drop::cancelled);
    throw;
  }
}

void Executor::run_parallel(std::size_t count, std::size_t grain, Stretch stretch, void* call,
                            void* start) {
  const std::size_t threads = concurrency();
  if (grain == 0) grain = std::max<std::size_t>(1, count / stretches_each / (threads + 1));
  Shares shares(count, grain);
  const auto work = [&shares, stretch, call, start] {
    shares.work([=](std::size_t begin, std::size_t end) { stretch(call, start, begin, end); });
  };
  // Others than this thread, as many as there is work for.
  const std::size_t helpers = std::min(threads, (count - 1) / grain);
  // What it takes to wait for them, which must not fail when they run.
  if (helpers != 0) static_cast<void>(detail::self_id());
  std::vector<Future<void>> futures;
  futures.reserve(helpers);
  std::exception_ptr refused;
  try {
    while (futures.size() != helpers) futures.push_back(submit(work));
  } catch (...) {
    refused = std::current_exception();
  }
  if (!refused || !futures.empty()) work();
  for (const auto& future : futures) {
    if (!future.cancel()) detail::FutureAccess::state(future).wait_in_any_case();
  }
  if (futures.empty() && refused) std::rethrow_exception(refused);
  shares.rethrow();
}

namespace detail {

void enqueue(Executor& executor, JobChain& jobs) { executor.enqueue(jobs); }

}  // namespace detail
}  // namespace conc

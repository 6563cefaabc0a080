// ThreadPoolExecutor: runs calls in threads.
#pragma once

#include <conc/config.hpp>
#include <conc/executor.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace conc {

namespace detail {
class Pool;
}

struct ThreadPoolOptions {
  // At most so many threads; without a value min(32, usable CPUs + 4), where usable are those that the process may run on
  // by its affinity and its share of them by its control group.
  std::optional<std::ptrdiff_t> max_workers = std::nullopt;

  // The threads are named prefix_0, prefix_1 and so on, for the operating system as well, which may cut the name short
  // (Linux: 15 bytes). "ThreadPool-N" when empty.
  std::string thread_name_prefix = {};
};

class CONC_EXPORT ThreadPoolExecutor final : public Executor {
 public:
  ThreadPoolExecutor() : ThreadPoolExecutor(ThreadPoolOptions()) {}
  explicit ThreadPoolExecutor(std::ptrdiff_t max_workers);
  explicit ThreadPoolExecutor(ThreadPoolOptions options);

  ~ThreadPoolExecutor() override;

 private:
  friend struct detail::Inspect;

  void enqueue(detail::JobChain& jobs) override;
  void close(bool wait, bool cancel_futures) override;

  std::shared_ptr<detail::Pool> pool_;
};

}  // namespace conc

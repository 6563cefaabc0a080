// ThreadPoolExecutor: runs calls in threads.
#pragma once

#include <conc/config.hpp>
#include <conc/executor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace conc {

namespace detail {
class Pool;
}

// What submit() does when max_pending calls are queued.
enum class Overflow : std::uint8_t {
  block,   // waits for room; refused as after shutdown() when that comes first, or cancelled, if it
           // is one of several that are submitted at once and others of them were queued already.
           // A task of the pool never waits for its own pool: it exceeds the bound
  reject,  // throws Full
  caller_runs,  // runs the call itself
  drop_oldest,  // cancels the oldest queued call of the least urgent lane
};

struct ThreadPoolOptions {
  // At most so many threads; without a value min(32, usable CPUs + 4), where usable are the
  // processors of the process's affinity, or fewer when its control group grants less time.
  std::optional<std::ptrdiff_t> max_workers = std::nullopt;

  // The threads are named prefix_0, prefix_1 and so on, for the operating system as well, which may
  // cut the name short (Linux: 15 bytes). "ThreadPool-N" when empty.
  std::string thread_name_prefix = {};

  // Called by each thread before its first task. When it throws, the pool is broken: the queued
  // tasks end with BrokenExecutor, and submit() throws it from then on.
  std::function<void()> initializer = {};

  // At most so many calls are queued and not begun; 0 for any number. `overflow` says what happens
  // to the next.
  std::size_t max_pending = 0;
  Overflow overflow = Overflow::block;

  // How many lanes the queue has; see lane().
  std::size_t priorities = 1;

  // A thread that had nothing to do for so long ends; without a value it stays.
  std::optional<std::chrono::nanoseconds> idle_timeout = std::nullopt;
};

// What a pool has done so far, and what it is doing.
struct ThreadPoolStats {
  // Of a sample: the first 256 calls that a thread submits to pools, and one in 64 after that. To
  // within an eighth.
  struct Times {
    std::chrono::nanoseconds median{0};
    std::chrono::nanoseconds p90{0};
    std::chrono::nanoseconds p99{0};
    std::chrono::nanoseconds most{0};
  };

  std::size_t workers = 0;    // threads
  std::size_t idle = 0;       // of them, those that sleep until there is work
  std::size_t submitted = 0;  // calls that were taken over: the sum of the next five
  std::size_t queued = 0;     // not begun
  std::size_t running = 0;
  std::size_t done = 0;       // returned
  std::size_t failed = 0;     // threw
  std::size_t cancelled = 0;  // will never begin
  Times wait;                 // from submit() to the beginning
  Times run;                  // from the beginning to the end
};

// A queue of calls, and threads that run them.
//
//   conc::ThreadPoolExecutor pool(4);
//   conc::Future<int> sum = pool.submit([](int a, int b) { return a + b; }, 1, 2);
//
// Calls begin in the order in which they were submitted; where several workers share a queue of
// calls that take less than some microseconds, a worker takes a few neighbours at once, those of 32
// us at most by its last ones, and the order is one to within these. If the first of them takes
// long, the others are run by other workers, behind some thousand later calls at most. A call that a
// task of the pool submits goes to the queue of the worker that runs the task, which comes after
// what that worker has queued there before, and from which other workers help themselves when they
// have nothing else to do; so it may overtake calls from outside. With one worker, with lanes or
// with max_pending there is the one order.
//
// The queue takes 8 bytes for each call, in blocks of a page, and keeps those of its longest time
// for later.
//
// Threads are made when a call is submitted and none is idle, up to the maximum. If the operating
// system has no thread to give, those that there are run everything, and later calls try again; if
// there is none at all, submit() throws what std::thread throws and nothing is queued.
//
// **A pool does not deadlock on its own futures.** A task that waits for a future of the same pool,
// as long as it takes, runs that very task itself when it is still queued, and none that it does
// not wait for. Whenever all workers sleep for futures while calls are queued, one more is added
// for the time. So a tree of tasks that wait for their children works with one worker.
//
// A task may throw anything. Its thread goes on.
//
// A pool that is never destroyed ends with the process, in the middle of its tasks. It belongs to
// the process that made it: in the child of a fork it has no threads, and shutdown() and the
// destructor return at once there; nothing else may be called.
//
// Python: concurrent.futures.ThreadPoolExecutor, whose tasks the process waits for at its end
class CONC_EXPORT ThreadPoolExecutor final : public Executor {
 public:
  // With the default number of workers.
  ThreadPoolExecutor() : ThreadPoolExecutor(ThreadPoolOptions()) {}

  // Throws: std::invalid_argument for less than one worker, or no lane or more than 256;
  // std::bad_alloc. Starts no thread.
  // Python: ThreadPoolExecutor(max_workers)
  explicit ThreadPoolExecutor(std::ptrdiff_t max_workers);
  explicit ThreadPoolExecutor(ThreadPoolOptions options);

  // shutdown(): everything that was submitted is run. Blocks until then, and until the threads have
  // ended. By a thread of the pool itself, be it in a task or when its thread_local objects end, it
  // does not block: the threads then end by themselves after the last call. With
  // Overflow::caller_runs it waits for no call that a submitter runs itself.
  ~ThreadPoolExecutor() override;

  // An executor that submits to one lane of this pool's queue, from 0, the most urgent, to
  // priorities - 1. No call of a lane begins while one of a more urgent lane is queued, so a lane
  // that is never empty starves those behind it. The pool's own submit() is that of the middle
  // lane, priorities / 2. Lives as long as the pool.
  // Throws: std::invalid_argument when there is no such lane.
  // Python: none.
  [[nodiscard]] Executor& lane(std::size_t priority);

  // Lets no further call begin until resume(). Those that run go on, and may run the queued tasks
  // that they wait for. A pool that is shut down goes on by itself.
  // Python: none.
  void pause();
  void resume();

  // Counts that fit together, as of some moment during the call. A call is counted as done or
  // failed before its future is; one that a submitter runs itself, with Overflow::caller_runs, when
  // that is over.
  [[nodiscard]] ThreadPoolStats stats() const;

  // As in the options, or the default.
  [[nodiscard]] std::size_t max_workers() const noexcept;

 private:
  class Lane;

  void enqueue(detail::JobChain& jobs) override;
  void close(bool wait, bool cancel_futures) override;
  [[nodiscard]] std::size_t concurrency() const noexcept override;

  std::shared_ptr<detail::Pool> pool_;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace conc

// Host: what the thread that runs jobs is to the futures that they wait for and complete.
#pragma once

#include <conc/detail/job.hpp>

#include <cstddef>

namespace conc::detail {

// An executor's worker, as seen from the futures. All calls are made by the worker's own thread,
// with no lock held.
class Host {
 public:
  // Runs `job` here and now if it is queued for this worker's executor.
  virtual void run_now(Job& job) noexcept = 0;

  // Whether another worker has nothing to do, or is on its way to a job.
  virtual bool others_are_free() noexcept = 0;

  // The job that runs is about to sleep until a future is done, and goes on after that.
  virtual void begin_wait() noexcept = 0;
  virtual void end_wait() noexcept = 0;

  // The job that runs has returned, or it threw.
  virtual void job_returned(bool threw) noexcept = 0;

  // After that: it is about to complete its future, and is over then; but for code of the user, if
  // some follows: callbacks, or the end of a result that nobody has a handle of.
  virtual void job_ends() noexcept = 0;
  virtual void user_code_follows() noexcept = 0;

 protected:
  ~Host() = default;

  // How many jobs that are not the worker's own are run inside the one that runs.
  std::size_t guests_ = 0;

 private:
  friend class GuestJob;
};

// The calling thread's, or null.
extern constinit thread_local Host* this_host;

// For the time that a thread runs a job that is not its own as a worker: the job that it is in the
// middle of neither returns nor ends with it.
class GuestJob {
 public:
  GuestJob() noexcept : host_(this_host) {
    if (host_ != nullptr) ++host_->guests_;
  }
  ~GuestJob() {
    if (host_ != nullptr) --host_->guests_;
  }
  GuestJob(const GuestJob&) = delete;
  GuestJob& operator=(const GuestJob&) = delete;

 private:
  Host* const host_;
};

// For the time that a thread sleeps for a future.
class HostWaits {
 public:
  HostWaits() noexcept : host_(this_host) {
    if (host_ != nullptr) host_->begin_wait();
  }
  ~HostWaits() {
    if (host_ != nullptr) host_->end_wait();
  }
  HostWaits(const HostWaits&) = delete;
  HostWaits& operator=(const HostWaits&) = delete;

 private:
  Host* const host_;
};

}  // namespace conc::detail

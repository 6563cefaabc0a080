// Boost.Interprocess's semaphore, which is the operating system's.

#include <boost/interprocess/sync/interprocess_semaphore.hpp>

#include "semaphore_rows.hpp"

namespace {

class Semaphore {
 public:
  explicit Semaphore(int permits) : semaphore_(static_cast<unsigned>(permits)) {}
  void acquire() { semaphore_.wait(); }
  bool try_acquire() { return semaphore_.try_wait(); }
  void release() { semaphore_.post(); }

 private:
  boost::interprocess::interprocess_semaphore semaphore_;
};

[[maybe_unused]] const bool registered = conc::bench::semaphore_rows<Semaphore>("_boost");

}  // namespace

// nsync's mutex.

#include <nsync.h>

#include "lock_rows.hpp"

namespace {

class Mutex {
 public:
  void lock() { nsync::nsync_mu_lock(&mutex_); }
  bool try_lock() { return nsync::nsync_mu_trylock(&mutex_) != 0; }
  void unlock() { nsync::nsync_mu_unlock(&mutex_); }

 private:
  nsync::nsync_mu mutex_ = NSYNC_MU_INIT;
};

[[maybe_unused]] const bool registered = conc::bench::lock_rows<Mutex>("_nsync");

}  // namespace

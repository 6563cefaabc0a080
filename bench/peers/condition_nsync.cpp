// nsync's condition variable.

#include <nsync.h>

#include <cstddef>

#include "condition_rows.hpp"

namespace {

class Turns {
 public:
  static constexpr std::size_t changed_size = sizeof(nsync::nsync_cv);

  void take(std::size_t me) {
    nsync::nsync_mu_lock(&mutex_);
    while (turn_ != me) nsync::nsync_cv_wait(&changed_, &mutex_);
    turn_ = 1 - turn_;
    nsync::nsync_cv_signal(&changed_);
    nsync::nsync_mu_unlock(&mutex_);
  }

 private:
  nsync::nsync_mu mutex_ = NSYNC_MU_INIT;
  nsync::nsync_cv changed_ = NSYNC_CV_INIT;
  std::size_t turn_ = 0;
};

[[maybe_unused]] const bool registered = conc::bench::condition_rows<Turns>("_nsync");

}  // namespace

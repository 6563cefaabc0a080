// boost::condition_variable.

#include <boost/thread/condition_variable.hpp>
#include <boost/thread/locks.hpp>
#include <boost/thread/mutex.hpp>

#include <cstddef>

#include "condition_rows.hpp"

namespace {

class Turns {
 public:
  static constexpr std::size_t changed_size = sizeof(boost::condition_variable);

  void take(std::size_t me) {
    boost::unique_lock<boost::mutex> hold(mutex_);
    while (turn_ != me) changed_.wait(hold);
    turn_ = 1 - turn_;
    changed_.notify_one();
  }

 private:
  boost::mutex mutex_;
  boost::condition_variable changed_;
  std::size_t turn_ = 0;
};

[[maybe_unused]] const bool registered = conc::bench::condition_rows<Turns>("_boost");

}  // namespace

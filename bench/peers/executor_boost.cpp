// Boost.Asio's thread_pool.

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <cstddef>
#include <future>
#include <type_traits>
#include <utility>

#include "executor_rows.hpp"

namespace {

class AsioPool {
 public:
  explicit AsioPool(std::size_t workers) : pool_(workers) {}
  ~AsioPool() { pool_.join(); }
  AsioPool(const AsioPool&) = delete;
  AsioPool& operator=(const AsioPool&) = delete;

  template <class F>
  void post(F f) {
    boost::asio::post(pool_, std::move(f));
  }
  template <class F>
  void spawn(F f) {
    boost::asio::post(pool_, std::move(f));
  }
  template <class F>
  auto submit(F f) {
    std::packaged_task<std::invoke_result_t<F>()> task(std::move(f));
    auto future = task.get_future();
    boost::asio::post(pool_, std::move(task));
    return future;
  }

 private:
  boost::asio::thread_pool pool_;
};

[[maybe_unused]] const bool registered = conc::bench::post_rows<AsioPool>("_boost") &&
                                         conc::bench::submit_rows<AsioPool>("_boost") &&
                                         conc::bench::round_trip_rows<AsioPool>("_boost");

}  // namespace

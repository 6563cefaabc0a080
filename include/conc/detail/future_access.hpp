// FutureAccess: what the parts of the library may do with the handles of futures.
#pragma once

#include <conc/detail/future_state.hpp>
#include <conc/detail/ref.hpp>

#include <utility>

namespace conc {

template <class T>
class Future;

namespace detail {

// The way from a handle to its state and back, for the parts of the library.
struct FutureAccess {
  template <class T>
  static Future<T> handle(Ref<FutureState<T>> state) noexcept {
    return Future<T>(std::move(state));
  }
  // Throws UsageError when it is a handle to nothing.
  template <class T>
  static FutureState<T>& state(const Future<T>& future) {
    return future.access();
  }
  // The same for all handles to one result; null for a handle to nothing.
  template <class T>
  static const void* identity(const Future<T>& future) noexcept {
    return future.state_.get();
  }

  // A task that is not queued yet: the future, and the executor's reference.
  template <class Task, class... Args>
  static auto make_task(Args&&... args) {
    auto* const task = new Task(std::forward<Args>(args)...);
    return std::pair(handle(Ref<FutureState<typename Task::Result>>::adopt(task)),
                     Ref<Task>::adopt(task));
  }
};

}  // namespace detail
}  // namespace conc

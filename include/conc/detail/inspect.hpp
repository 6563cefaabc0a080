// What diagnostics and tests may see of an object that threads wait for.
#pragma once

#include <conc/detail/machine.hpp>
#include <conc/detail/waiting.hpp>

#include <cstddef>
#include <mutex>

namespace conc::detail {

// A friend of every such object.
struct Inspect {
  // How many threads are in the object's wait list.
  template <class Object>
  static std::size_t waiters(const Object& object) {
    if constexpr (requires { object.core_.waiters(); }) {
      return object.core_.waiters();
    } else {
      const std::lock_guard lock(object.mutex_);
      return object.waiters_.size();
    }
  }
};

}  // namespace conc::detail

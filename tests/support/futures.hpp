// Futures of promises that a test holds, and who waits for them.
#pragma once

#include <conc/future.hpp>
#include <conc/promise.hpp>

#include <vector>

namespace conc::test {

// For waiters() of eventually.hpp.
template <class T>
detail::FutureStateBase& state(const Future<T>& future) {
  return detail::FutureAccess::state(future);
}

template <class T>
std::vector<Future<T>> futures_of(std::vector<Promise<T>>& promises) {
  std::vector<Future<T>> futures;
  for (auto& promise : promises) futures.push_back(promise.future());
  return futures;
}

}  // namespace conc::test

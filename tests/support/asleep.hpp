// Who sleeps, as a dump sees it: later than a waiter stands in its object's list.
#pragma once

#include <conc/diagnostics.hpp>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace conc::test {

// Whether a thread sleeps of which the predicate is true; it gets a ThreadSnapshot with a wait.
template <class Predicate>
[[nodiscard]] bool somebody_sleeps(Predicate&& predicate) {
  const Snapshot seen = snapshot();
  return std::any_of(seen.threads.begin(), seen.threads.end(), [&](const ThreadSnapshot& thread) {
    return thread.wait && predicate(thread);
  });
}

// Whether the thread with this name sleeps.
[[nodiscard]] inline bool asleep(std::string_view name) {
  return somebody_sleeps([name](const ThreadSnapshot& thread) { return thread.info.name == name; });
}

// Whether the thread of this process with this number of the operating system's (Linux) sleeps, be
// it in a call of conc or in any other.
[[nodiscard]] inline bool asleep_natively(std::int64_t native_id) {
  std::ifstream file("/proc/self/task/" + std::to_string(native_id) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return text.find(") S ") != std::string::npos;
}

}  // namespace conc::test

#include "spin.hpp"

#if defined(__linux__)
#include <sched.h>
#endif

namespace conc::detail {
namespace {

bool ask_single_cpu() noexcept {
#if defined(__linux__)
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof usable, &usable) == 0) return CPU_COUNT(&usable) == 1;
#endif
  return NativeThread::hardware_concurrency() == 1;
}

// Asked when the library is loaded, before any thread can have pinned itself; false until then.
const bool only_one = ask_single_cpu();

}  // namespace

bool single_cpu() noexcept { return only_one; }

}  // namespace conc::detail

#include <conc/detail/carried.hpp>

namespace conc {
namespace detail {

constinit Atomic<const CarryHook*> carry_hook{nullptr};

}  // namespace detail

bool set_carry_hook(const CarryHook& hook) noexcept {
  const CarryHook* before = nullptr;
  return detail::carry_hook.compare_exchange_strong(before, &hook, std::memory_order_release,
                                                    std::memory_order_relaxed) ||
         before == &hook;
}

}  // namespace conc

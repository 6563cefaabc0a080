// Carried: what goes along with a task.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/machine.hpp>
#include <conc/hooks.hpp>

#include <atomic>
#include <utility>

namespace conc::detail {

// nullptr   nobody wants anything carried; so it begins
// a hook    set_carry_hook() was called; for ever
extern CONC_EXPORT constinit Atomic<const CarryHook*> carry_hook;

// Made by the thread that submits a task, and kept with it. One pointer.
class Carried {
 public:
  // One relaxed load while there is no hook.
  Carried() noexcept {
    if (carry_hook.load(std::memory_order_relaxed) != nullptr) [[unlikely]]
      what_ = hook().capture();
  }
  ~Carried() { reset(); }

  Carried(const Carried&) = delete;
  Carried& operator=(const Carried&) = delete;

  [[nodiscard]] explicit operator bool() const noexcept { return what_ != nullptr; }

  void reset() noexcept {
    if (what_ != nullptr) [[unlikely]]
      hook().drop(std::exchange(what_, nullptr));
  }

  // Lives in the thread that runs the task, around it.
  class Scope {
   public:
    explicit Scope(const Carried& carried) noexcept : inside_(carried.what_ != nullptr) {
      if (inside_) [[unlikely]]
        before_ = hook().enter(carried.what_);
    }
    ~Scope() {
      if (inside_) [[unlikely]]
        hook().leave(before_);
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    const bool inside_;
    void* before_ = nullptr;
  };

 private:
  // Once it is set it stays.
  static const CarryHook& hook() noexcept { return *carry_hook.load(std::memory_order_acquire); }

  void* what_ = nullptr;
};

}  // namespace conc::detail

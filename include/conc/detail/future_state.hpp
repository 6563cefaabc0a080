// FutureState: what the handles of one future share, with room for the result.
#pragma once

#include <conc/detail/future_state_base.hpp>

#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace conc::detail {

// The state of a Future<T>.
template <class T>
class FutureState : public FutureStateBase {
 public:
  explicit FutureState(Word references) noexcept : FutureStateBase(references) {}

  // Makes the value, in the phase `running` or `settling`, which complete(value) must follow.
  // Throws what that throws.
  template <class... Args>
  void emplace(Args&&... args) {
    std::construct_at(std::addressof(value_), std::forward<Args>(args)...);
  }

  // The same with what `make()` returns, which need not be movable.
  template <class Make>
  void emplace_from(Make&& make) {
    ::new (static_cast<void*>(std::addressof(value_))) T(std::forward<Make>(make)());
  }

  // The value. In the phase `value`.
  [[nodiscard]] T& get() noexcept { return value_; }

  // The claim to move the value out: true once.
  [[nodiscard]] bool take() noexcept {
    return (word_.fetch_or(taken, std::memory_order_acq_rel) & taken) == 0;
  }

 protected:
  ~FutureState() noexcept override {
    if ((word_.load(std::memory_order_relaxed) & phase_mask) == value)
      std::destroy_at(std::addressof(value_));
  }

 private:
  [[nodiscard]] bool ends_quietly() const noexcept override {
    return std::is_trivially_destructible_v<T>;
  }

  union {
    T value_;
  };
};

template <class T>
class FutureState<T&> : public FutureStateBase {
 public:
  explicit FutureState(Word references) noexcept : FutureStateBase(references) {}

  void emplace(T& to) noexcept { value_ = std::addressof(to); }
  [[nodiscard]] T& get() noexcept { return *value_; }

 private:
  T* value_ = nullptr;
};

template <>
class FutureState<void> : public FutureStateBase {
 public:
  explicit FutureState(Word references) noexcept : FutureStateBase(references) {}

  void emplace() noexcept {}
};

}  // namespace conc::detail

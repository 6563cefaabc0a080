// Ref: holds an object that counts its own references.
#pragma once

#include <type_traits>
#include <utility>

namespace conc::detail {

// Holds a state that counts its references.
template <class State>
class Ref {
 public:
  constexpr Ref() noexcept = default;

  // Takes over a reference that the caller has.
  static Ref adopt(State* state) noexcept {
    Ref ref;
    ref.state_ = state;
    return ref;
  }
  // Adds one.
  static Ref share(State* state) noexcept {
    if (state != nullptr) state->add_ref();
    return adopt(state);
  }

  Ref(const Ref& other) noexcept : Ref(share(other.state_)) {}
  Ref(Ref&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  template <class Derived>
  requires std::is_convertible_v<Derived*, State*> Ref(Ref<Derived> other)
  noexcept : state_(other.release()) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~Ref() {
    if (state_ != nullptr) state_->drop_ref();
  }

  [[nodiscard]] State* get() const noexcept { return state_; }
  State* operator->() const noexcept { return state_; }
  State& operator*() const noexcept { return *state_; }
  [[nodiscard]] explicit operator bool() const noexcept { return state_ != nullptr; }

  // Gives the reference to the caller.
  [[nodiscard]] State* release() noexcept { return std::exchange(state_, nullptr); }

 private:
  State* state_ = nullptr;
};

}  // namespace conc::detail

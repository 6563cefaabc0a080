// Task: something to call later, for executors.
#pragma once

#include <conc/config.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace conc::detail {

// Holds one callable of type void(), move-only ones included, and calls it once. 64 bytes of it are
// stored inline, so that a lambda with a handful of captures costs no allocation.
//
// Moving a Task never throws: a callable whose move could is kept on the heap, like one that is too
// large.
class Task {
 public:
  static constexpr std::size_t inline_size = 64;

  // Whether a callable of type F is stored without an allocation.
  template <class F>
  static constexpr bool fits =
      sizeof(F) <= inline_size &&
      alignof(F) <= alignof(std::max_align_t) && std::is_nothrow_move_constructible_v<F>;

  // Nothing to call.
  Task() noexcept = default;

  // A decayed copy of `f`. Throws what copying or moving it throws, and std::bad_alloc when it does
  // not fit.
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, Task>) &&
      std::invocable<std::decay_t<F>> explicit Task(F&& f) {
    using Stored = std::decay_t<F>;
    if constexpr (fits<Stored>) {
      ::new (place()) Stored(std::forward<F>(f));
      operations_ = &operations_on<Stored>;
    } else {
      ::new (place()) Boxed<Stored>{std::make_unique<Stored>(std::forward<F>(f))};
      operations_ = &operations_on<Boxed<Stored>>;
    }
  }

  Task(Task&& other) noexcept { take(other); }
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  ~Task() { reset(); }

  [[nodiscard]] explicit operator bool() const noexcept { return operations_ != nullptr; }

  // Calls it, as an rvalue. It must not be empty, and is not called again. Throws what the callable
  // throws.
  void operator()() { operations_->call(place()); }

  // Destroys the callable.
  void reset() noexcept {
    if (const Operations* const operations = std::exchange(operations_, nullptr)) {
      operations->destroy(place());
    }
  }

 private:
  struct Operations {
    void (*call)(void*);
    void (*relocate)(void* from, void* to) noexcept;
    void (*destroy)(void*) noexcept;
  };

  template <class F>
  struct Boxed {
    std::unique_ptr<F> f;
    void operator()() && { std::invoke(std::move(*f)); }
  };

  template <class F>
  static constexpr Operations operations_on{
      [](void* f) { static_cast<void>(std::invoke(std::move(*static_cast<F*>(f)))); },
      [](void* from, void* to) noexcept {
        ::new (to) F(std::move(*static_cast<F*>(from)));
        static_cast<F*>(from)->~F();
      },
      [](void* f) noexcept { static_cast<F*>(f)->~F(); }};

  void* place() noexcept { return storage_; }

  // Into an empty Task.
  void take(Task& other) noexcept {
    operations_ = std::exchange(other.operations_, nullptr);
    if (operations_ != nullptr) operations_->relocate(other.place(), place());
  }

  alignas(std::max_align_t) std::byte storage_[inline_size];
  const Operations* operations_ = nullptr;
};

}  // namespace conc::detail

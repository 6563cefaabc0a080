// PartList: memory that threads take, give back, and take again.
#pragma once

#include <conc/detail/machine.hpp>

#include <atomic>

namespace conc::logging::detail {

// Parts that are never freed. The list only grows, so that whoever likes can walk it at any moment,
// a signal handler too, while others take parts and give them back. Constant-initialized, and
// without a destructor: it outlives everything that logs.
//
// A Part derives from PartList<Part>::Link.
template <class Part>
class PartList {
 public:
  class Link {
   public:
    [[nodiscard]] Part* next() const noexcept { return next_; }

    // Leaves it to whoever takes it next, who sees what was written to it.
    void give_back() noexcept { taken_.store(false, std::memory_order_release); }

   private:
    friend class PartList;
    Part* next_ = nullptr;
    conc::detail::Atomic<bool> taken_{true};
  };

  constexpr PartList() noexcept = default;
  PartList(const PartList&) = delete;
  PartList& operator=(const PartList&) = delete;

  [[nodiscard]] Part* first() const noexcept { return first_.load(std::memory_order_acquire); }

  // One that was given back, or else a new one. Throws std::bad_alloc.
  // Cost: visits as many parts as were ever taken at once.
  Part* take() {
    for (Part* one = first(); one != nullptr; one = one->next()) {
      bool taken = false;
      if (one->taken_.compare_exchange_strong(taken, true, std::memory_order_acquire)) return one;
    }
    auto* const made = new Part;
    made->next_ = first_.load(std::memory_order_relaxed);
    while (!first_.compare_exchange_weak(made->next_, made, std::memory_order_release,
                                         std::memory_order_relaxed)) {
    }
    return made;
  }

 private:
  conc::detail::Atomic<Part*> first_{nullptr};
};

}  // namespace conc::logging::detail

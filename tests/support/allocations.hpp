// Counts the program's allocations, and lets one fail. Included by one file of a test program,
// since it replaces operator new.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace conc::test {

inline std::atomic<std::size_t> allocations{0};

// What a thread does at one of its allocations instead of failing; it returns whether the
// allocation succeeds.
using AtAllocation = bool (*)();

// With what threads begin that have not allocated yet.
inline std::atomic<std::int64_t> first_allocations_left{-1};
inline std::atomic<AtAllocation> at_that_first_allocation{nullptr};

// How many more of this thread's allocations succeed before one fails; negative: all do, as after
// the one that failed.
inline thread_local std::int64_t allocations_left = first_allocations_left;

// What this thread then does instead, if set.
inline thread_local AtAllocation at_that_allocation = at_that_first_allocation;

// Whether every allocation fails, in every thread.
inline std::atomic<bool> out_of_memory{false};

inline void* allocate(std::size_t size, std::size_t alignment) noexcept {
  if (out_of_memory.load(std::memory_order_relaxed)) return nullptr;
  if (allocations_left >= 0 && allocations_left-- == 0) {
    if (at_that_allocation == nullptr || !at_that_allocation()) return nullptr;
  }
  allocations.fetch_add(1, std::memory_order_relaxed);
  return std::aligned_alloc(alignment, (size + alignment) / alignment * alignment);
}

inline void* allocate_or_throw(std::size_t size, std::size_t alignment) {
  if (void* const memory = allocate(size, alignment)) return memory;
  throw std::bad_alloc();
}

}  // namespace conc::test

// Not inlined, or the compiler warns of a free() that meets a new.
#if defined(__GNUC__)
#define CONC_TEST_NOINLINE [[gnu::noinline]]
#else
#define CONC_TEST_NOINLINE
#endif

CONC_TEST_NOINLINE void* operator new(std::size_t size) {
  return conc::test::allocate_or_throw(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
CONC_TEST_NOINLINE void* operator new[](std::size_t size) { return operator new(size); }
CONC_TEST_NOINLINE void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return conc::test::allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
CONC_TEST_NOINLINE void* operator new[](std::size_t size, const std::nothrow_t& tag) noexcept {
  return operator new(size, tag);
}
CONC_TEST_NOINLINE void* operator new(std::size_t size, std::align_val_t alignment) {
  return conc::test::allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
CONC_TEST_NOINLINE void operator delete(void* memory) noexcept { std::free(memory); }
CONC_TEST_NOINLINE void operator delete[](void* memory) noexcept { std::free(memory); }
CONC_TEST_NOINLINE void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
CONC_TEST_NOINLINE void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
CONC_TEST_NOINLINE void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
CONC_TEST_NOINLINE void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
CONC_TEST_NOINLINE void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
CONC_TEST_NOINLINE void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

// Counts the program's allocations. Included by one file of a test program, since it replaces
// operator new.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace conc::test {

inline std::atomic<std::size_t> allocations{0};

}  // namespace conc::test

// Not inlined, or the compiler warns of a free() that meets a new.
#if defined(__GNUC__)
#define CONC_TEST_NOINLINE [[gnu::noinline]]
#else
#define CONC_TEST_NOINLINE
#endif

CONC_TEST_NOINLINE void* operator new(std::size_t size) {
  conc::test::allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* const memory = std::malloc(size != 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
CONC_TEST_NOINLINE void* operator new[](std::size_t size) { return operator new(size); }
CONC_TEST_NOINLINE void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  conc::test::allocations.fetch_add(1, std::memory_order_relaxed);
  return std::malloc(size != 0 ? size : 1);
}
CONC_TEST_NOINLINE void* operator new[](std::size_t size, const std::nothrow_t& tag) noexcept {
  return operator new(size, tag);
}
CONC_TEST_NOINLINE void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
CONC_TEST_NOINLINE void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
CONC_TEST_NOINLINE void operator delete(void* memory) noexcept { std::free(memory); }
CONC_TEST_NOINLINE void operator delete[](void* memory) noexcept { std::free(memory); }
CONC_TEST_NOINLINE void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
CONC_TEST_NOINLINE void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

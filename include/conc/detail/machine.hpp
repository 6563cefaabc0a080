// The machine that the library runs on: every mutex, condition variable, atomic, thread and clock
// that conc itself uses is named here. A test build sets CONC_MACHINE_HEADER to a header of its
// own, which declares the same names, and so puts a controlled scheduler or a manual clock under
// the very same sources.
#pragma once

#if defined(CONC_MACHINE_HEADER)
#include CONC_MACHINE_HEADER
#else

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace conc::detail {

using Mutex = std::mutex;
using CondVar = std::condition_variable;
template <class T>
using Atomic = std::atomic<T>;
using NativeThread = std::thread;
using NativeHandle = std::thread::native_handle_type;
using SteadyClock = std::chrono::steady_clock;
using WallClock = std::chrono::system_clock;

// Tells the processor that this is a spin loop.
inline void cpu_pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#endif
}

// What the processor's counter stands at, which goes at a steady pace; 0 where none is known.
inline std::uint64_t processor_ticks() noexcept {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#else
  return 0;
#endif
}

// Tells the processor that the cache line at `address`, which may be null, will soon be written to.
inline void prefetch_to_write(const void* address) noexcept {
#if defined(__x86_64__)
  // Compilers know of it only where told to; older processors take it for nothing.
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(address)));
#elif defined(__GNUC__)
  __builtin_prefetch(address, 1);
#endif
}

// Lets another thread have this processor.
inline void cpu_yield() noexcept { std::this_thread::yield(); }

}  // namespace conc::detail

#endif

// A library to preload: an operating system that has only so many more threads to give.
#include <atomic>
#include <cerrno>

#include <dlfcn.h>
#include <pthread.h>

namespace {

std::atomic<long> threads_left{-1};  // negative: any number

}  // namespace

extern "C" {

void conc_test_allow_threads(long n) { threads_left.store(n); }

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto create = reinterpret_cast<Create>(::dlsym(RTLD_NEXT, "pthread_create"));
  long left = threads_left.load();
  while (left >= 0) {
    if (left == 0) return EAGAIN;
    if (threads_left.compare_exchange_weak(left, left - 1)) break;
  }
  return create(thread, attributes, start, argument);
}
}

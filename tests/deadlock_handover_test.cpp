// What is found of deadlocks while a lock is on its way to the thread that waits for it.

#include <conc/diagnostics.hpp>
#include <conc/errors.hpp>
#include <conc/lock.hpp>
#include <conc/rlock.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <dlfcn.h>
#include <pthread.h>

#include "asleep.hpp"
#include "eventually.hpp"
#include "reports.hpp"
#include "sanitizers.hpp"

// Whether a program may have its own pthread_mutex_unlock: sanitizers have one.
#if defined(__GLIBC__) && !CONC_TEST_ASAN && !CONC_TEST_TSAN
#define CONC_TEST_OWN_UNLOCK 1
#endif

namespace {

// Where the calling thread stops: once, when it has given back a mutex in the object, until the
// function returns.
struct Stop {
  const char* begin = nullptr;
  const char* end = nullptr;
  void (*until)() = nullptr;
};
constinit thread_local Stop stop;

template <class Object>
void stop_after_unlock_in(const Object& object, void (*until)()) {
  const auto* const begin = reinterpret_cast<const char*>(&object);
  stop = {begin, begin + sizeof object, until};
}

}  // namespace

#if defined(CONC_TEST_OWN_UNLOCK)
extern "C" [[gnu::visibility("default")]] int pthread_mutex_unlock(
    pthread_mutex_t* mutex) noexcept {
  using Unlock = int (*)(pthread_mutex_t*);
  static const auto unlock = reinterpret_cast<Unlock>(::dlsym(RTLD_NEXT, "pthread_mutex_unlock"));
  const int result = unlock(mutex);
  const auto* const place = reinterpret_cast<const char*>(mutex);
  if (stop.begin <= place && place < stop.end) std::exchange(stop, {}).until();
  return result;
}
#endif

namespace {

using conc::Lock;
using conc::OnDeadlock;
using conc::test::eventually;
using conc::test::eventually_waiting;

template <class L>
class DeadlockHandoverTest : public testing::Test {};

using Locks = testing::Types<Lock, conc::RLock>;
TYPED_TEST_SUITE(DeadlockHandoverTest, Locks);

std::atomic<bool> handed_over{false};
std::atomic<bool> fell_asleep{false};

// The lock has a new holder then, which has not been woken: it seems to wait for itself.
TYPED_TEST(DeadlockHandoverTest, WhoLooksWhileItGetsTheLockDoesNotWaitForItself) {
#if !defined(CONC_TEST_OWN_UNLOCK)
  GTEST_SKIP() << "not under a sanitizer, nor without glibc";
#endif
  handed_over = fell_asleep = false;
  const conc::test::Reports reports;
  // Hands its locks over from now on.
  conc::on_deadlock(OnDeadlock::raise);
  Lock own;
  own.acquire();
  EXPECT_THROW(own.acquire(), conc::DeadlockError);
  own.release();
  conc::on_deadlock(OnDeadlock::report);

  TypeParam gun("gun");
  gun.acquire();
  std::thread next([&gun] {
    stop_after_unlock_in(gun, [] { static_cast<void>(eventually([] { return !!handed_over; })); });
    gun.acquire();
    gun.release();
  });
  EXPECT_TRUE(eventually_waiting(gun, 1));
  stop_after_unlock_in(gun, [] {
    handed_over = true;
    // By then it has looked for a deadlock: a dump waits for that.
    fell_asleep =
        eventually([] { return conc::test::somebody_sleeps([](const auto&) { return true; }); });
  });
  gun.release();
  next.join();
  EXPECT_TRUE(handed_over);
  EXPECT_TRUE(fell_asleep);
  EXPECT_EQ(reports.messages(), std::vector<std::string>{});
  EXPECT_FALSE(gun.locked());
}

}  // namespace

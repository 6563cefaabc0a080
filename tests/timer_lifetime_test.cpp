// Timers at the end of the process, in the child of a fork, and when the system refuses a thread.
#include <conc/event.hpp>
#include <conc/periodic_timer.hpp>
#include <conc/timer.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <ostream>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocations.hpp"
#include "asleep.hpp"
#include "eventually.hpp"
#include "sanitizers.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Event;
using conc::PeriodicTimer;
using conc::Timer;
using conc::test::asleep;

constexpr int runs = CONC_TEST_TSAN ? 2 : CONC_TEST_ASAN ? 20 : 200;  // tsan sleeps at every exit
constexpr int few = CONC_TEST_TSAN ? 1 : 20;  // of what goes wrong each time if at all

// What the children write; read by their parent when they have ended.
int to_parent = -1;

void write(char c) {
  if (::write(to_parent, &c, 1) != 1) ::_exit(99);
}

struct Ended {
  int status = -1;
  std::string written;
  bool operator==(const Ended&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Ended& ended) {
  return out << "status " << ended.status << ", written \"" << ended.written << '"';
}

// Runs f in a child process, which is killed when it takes a minute. A status above 255 is a
// signal.
template <class F>
Ended in_child(F&& f) {
  int ends[2];
  if (::pipe(ends) != 0) return {};
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    ::close(ends[0]);
    to_parent = ends[1];
    try {
      f();
    } catch (...) {
      ::_exit(97);
    }
    ::_exit(98);  // f ends the process
  }
  ::close(ends[1]);
  Ended ended;
  for (char c = 0; ::read(ends[0], &c, 1) == 1;) ended.written += c;
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
  return ended;
}

// ---- The end of the process. The test process itself starts no timer here.

TEST(TimerAtExit, ATimerIsWaitedForAndTheStatusKept) {
  for (int i = 0; i < runs; ++i) {
    const Ended ended = in_child([] {
      Timer(1ms, [] { write('f'); }).start();
      std::exit(7);
    });
    ASSERT_EQ(ended, (Ended{7, "f"}));
  }
}

TEST(TimerAtExit, ADaemonIsNotWaitedFor) {
  for (int i = 0; i < runs; ++i) {
    const Ended ended = in_child([] {
      Timer({.daemon = true}, 1h, [] { write('f'); }).start();
      Event running;
      Event never;
      Timer({.daemon = true}, 0s, [&] {
        running.set();
        never.wait();
      }).start();
      running.wait();
      std::exit(7);
    });
    ASSERT_EQ(ended, (Ended{7, ""}));
  }
}

TEST(TimerAtExit, DaemonsThatFireMeanwhileDoNoHarm) {
  for (int i = 0; i < runs; ++i) {
    const Ended ended = in_child([] {
      for (int n = 0; n < 50; ++n) {
        Timer({.name = n % 2 == 0 ? "a daemon" : "", .daemon = true},
              std::chrono::microseconds(20 * n), [] {})
            .start();
      }
      static PeriodicTimer periodic({.daemon = true}, 50us, [] {});
      periodic.start();
      std::exit(7);
    });
    ASSERT_EQ(ended, (Ended{7, ""}));
  }
}

TEST(TimerAtExit, TheFunctionMayEndTheProcess) {
  for (int i = 0; i < runs; ++i) {
    const Ended ended = in_child([] {
      Timer timer(0s, [] { std::exit(7); });
      timer.start();
      timer.join();
    });
    ASSERT_EQ(ended, (Ended{7, ""}));
  }
}

TEST(TimerAtExit, WhatGoesWithATimerThatAFunctionCancelsMayEndTheProcess) {
  struct Exit {
    Exit() = default;
    Exit(Exit&& other) noexcept : exits(std::exchange(other.exits, false)) {}
    ~Exit() {
      if (exits) std::exit(7);
    }
    bool exits = true;
  };
  for (int i = 0; i < runs; ++i) {
    const Ended ended = in_child([] {
      Timer other(100us, [] { write('o'); });
      Timer cancelled(1h, [exit = Exit()] {});
      PeriodicTimer periodic(1us, [&] {
        other.start();
        cancelled.cancel();
      });
      cancelled.start();
      periodic.start();
      periodic.join();
    });
    ASSERT_EQ(ended, (Ended{7, "o"}));
  }
}

TEST(TimerAtExit, WhatIsStartedMeanwhileIsWaitedForToo) {
  for (int i = 0; i < runs; ++i) {
    const Ended ended = in_child([] {
      Timer(100us, [] {
        write('1');
        Timer(100us, [] {
          write('2');
          Timer(100us, [] { write('3'); }).start();
        }).start();
      }).start();
      std::exit(7);
    });
    ASSERT_EQ(ended, (Ended{7, "123"}));
  }
}

TEST(TimerAtExit, AThreadThatHasNoMemoryToWaitWithWaitsAllTheSame) {
  for (int i = 0; i < runs; ++i) {
    const Ended ended = in_child([] {
      Timer(1ms, [] { write('f'); }).start();
      std::thread([] {  // which the library has not met
        conc::test::allocations_left = 0;
        std::exit(7);
      })
          .join();
    });
    ASSERT_EQ(ended, (Ended{7, "f"}));
  }
}

TEST(TimerAtExit, CancelLetsTheProcessEnd) {
  for (int i = 0; i < runs; ++i) {
    const Ended ended = in_child([] {
      const auto late = std::make_shared<Timer>(1h, [] { write('f'); });
      late->start();
      Timer(500us, [late] { write(late->cancel() ? 'c' : 'x'); }).start();
      std::exit(7);
    });
    ASSERT_EQ(ended, (Ended{7, "c"}));
  }
}

TEST(TimerAtExit, APeriodicTimersCallIsWaitedForAndIsTheLast) {
  for (int i = 0; i < runs; ++i) {
    const Ended ended = in_child([] {
      static std::atomic<bool> go{false};
      static Event running;
      static PeriodicTimer timer(50us, [] {
        write('(');
        running.set();
        while (!go) std::this_thread::yield();
        write(')');
      });
      timer.start();
      running.wait();
      std::atexit([] { go = true; });  // before the exit waits for timers, but after it has begun
      std::exit(7);
    });
    ASSERT_EQ(ended.status, 7);
    // As a rule one call: more when the exit was late.
    ASSERT_EQ(ended.written.size() % 2, 0U) << ended.written;
    for (std::size_t c = 0; c < ended.written.size(); c += 2) {
      ASSERT_EQ(ended.written.substr(c, 2), "()") << ended.written;
    }
  }
}

// For a function to hold: calls f when it is destroyed.
template <class F>
std::shared_ptr<void> at_destruction(F f) {
  return {nullptr, [f](void*) { f(); }};
}

TEST(TimerAtExit, APeriodicTimersFunctionIsNotDestroyedWhileGlobalsAre) {
  for (int i = 0; i < few; ++i) {
    const Ended ended = in_child([] {
      static PeriodicTimer* timer;
      static struct AtEnd {
        ~AtEnd() {
          write('g');
          while (timer->is_alive()) std::this_thread::yield();  // its next time comes
        }
      } at_end;
      static_cast<void>(at_end);
      timer = new PeriodicTimer(2ms, [held = at_destruction([] { write('d'); })] {});
      timer->start();
      std::exit(7);
    });
    ASSERT_EQ(ended, (Ended{7, "g"}));
  }
}

TEST(TimerAtExit, APeriodicTimersFunctionGoesWithItsObject) {
  for (int i = 0; i < few; ++i) {
    const Ended ended = in_child([] {
      static std::unique_ptr<PeriodicTimer> timer;
      static std::atomic<bool> called{false};
      timer = std::make_unique<PeriodicTimer>(1us, [held = at_destruction([] { write('d'); })] {
        called = true;
        while (!asleep("MainThread")) std::this_thread::yield();
        write('c');
      });
      timer->start();
      while (!called) std::this_thread::yield();
      Timer(0s, [] {
        timer->join();
        write('j');
      }).start();
      std::exit(7);
    });
    ASSERT_EQ(ended, (Ended{7, "cjd"}));
  }
}

TEST(TimerAtExit, TheFunctionOfACancelledPeriodicTimerIsWaitedForWhileItIsDestroyed) {
  static PeriodicTimer* timer;
  static std::atomic<bool> begun{false};
  static std::atomic<bool> gone{false};
  const auto destroyed_slowly = [] {
    begun = true;
    while (!gone && !asleep("MainThread")) std::this_thread::yield();
    write(gone ? 'x' : 'd');
  };
  const auto exit_meanwhile = [] {
    while (!begun) std::this_thread::yield();
    std::exit(7);
  };
  struct AtEnd {
    ~AtEnd() {
      gone = true;
      while (timer->is_alive()) std::this_thread::yield();
    }
  };
  for (int i = 0; i < few; ++i) {
    const Ended by_itself = in_child([&] {
      static const AtEnd at_end;
      timer = new PeriodicTimer(
          1us, [held = at_destruction(destroyed_slowly)] { static_cast<void>(timer->cancel()); });
      timer->start();
      exit_meanwhile();
    });
    ASSERT_EQ(by_itself, (Ended{7, "d"}));
    const Ended by_another = in_child([&] {
      static const AtEnd at_end;
      timer = new PeriodicTimer(1h, [held = at_destruction(destroyed_slowly)] {});
      timer->start();
      std::thread([] { static_cast<void>(timer->cancel()); }).detach();
      exit_meanwhile();
    });
    ASSERT_EQ(by_another, (Ended{7, "d"}));
  }
}

// ---- The system refuses a thread

#if defined(__GLIBC__) && !CONC_TEST_ASAN && !CONC_TEST_TSAN
// How large the stack of the next thread is to be.
void set_stack_size(std::size_t size) {
  ::pthread_attr_t attributes;
  if (::pthread_attr_init(&attributes) != 0 ||
      ::pthread_attr_setstacksize(&attributes, size) != 0 ||
      ::pthread_setattr_default_np(&attributes) != 0) {
    ::_exit(96);
  }
  ::pthread_attr_destroy(&attributes);
}

TEST(TimerRefused, StartSaysSoAndWorksLater) {
  const Ended ended = in_child([] {
    Timer timer(0s, [] { write('f'); });
    set_stack_size(std::size_t{1} << 46);  // more than there are addresses left
    try {
      timer.start();
    } catch (const std::system_error&) {
      if (!timer.is_alive()) write('r');
    }
    set_stack_size(std::size_t{1} << 20);
    timer.start();
    timer.join();
    std::exit(7);
  });
  EXPECT_EQ(ended, (Ended{7, "rf"}));
}

TEST(TimerRefused, WhileThereIsNoHelperForATimerItWaits) {
  const Ended ended = in_child([] {
    Timer first(0s, [] { write('1'); });
    first.start();
    first.join();
    // There is a helper, or two. One timer for each, and another.
    set_stack_size(std::size_t{1} << 46);
    Event go;
    Event began[10];
    std::vector<Timer> timers;
    for (Event& event : began) {
      timers.emplace_back(0s, [&] {
        event.set();
        go.wait();
      });
      timers.back().start();
      if (!event.wait(50ms)) {
        write('r');
        set_stack_size(std::size_t{1} << 20);
        event.wait();
        break;
      }
    }
    go.set();
    for (Timer& timer : timers) timer.join();
    std::exit(7);
  });
  EXPECT_EQ(ended, (Ended{7, "1r"}));
}
#endif

// ---- fork(). From here on the test process has timers.

// tsan starts no thread there, and asan's allocator stays locked if a thread was just allocating.
#if CONC_TEST_ASAN || CONC_TEST_TSAN
#define CONC_TEST_NEEDS_THREADS_AFTER_FORK GTEST_SKIP() << "not under a sanitizer"
#else
#define CONC_TEST_NEEDS_THREADS_AFTER_FORK static_cast<void>(0)
#endif

TEST(TimerFork, InTheChildTheParentsTimersAreOverAndNewOnesWork) {
  CONC_TEST_NEEDS_THREADS_AFTER_FORK;
  std::atomic<int> calls{0};
  Event in_parent;
  Timer pending(1h, [&] { ++calls; });
  Timer fresh(0s, [] { write('f'); });
  Timer soon(20ms, [&] { ++calls; });
  PeriodicTimer periodic(1ms, [&] {
    ++calls;
    in_parent.set();
  });
  pending.start();
  periodic.start();
  soon.start();
  in_parent.wait();
  const Ended ended = in_child([&] {
    const int before = calls;
    for (Timer* timer : {&pending, &soon}) {
      if (timer->is_alive() || !timer->join(conc::at_once) || timer->cancel()) write('x');
      timer->join();
    }
    if (periodic.is_alive() || periodic.cancel_and_wait()) write('y');
    fresh.start();
    fresh.join();
    Timer fresher(30ms, [] { write('g'); });  // the others would have fired by then
    fresher.start();
    fresher.join();
    if (calls != before) write('z');
    std::exit(7);  // and waits for nothing of the parent's
  });
  EXPECT_EQ(ended, (Ended{7, "fg"}));
  soon.join();
  EXPECT_TRUE(pending.cancel());
}

TEST(TimerFork, AFunctionMayFork) {
  CONC_TEST_NEEDS_THREADS_AFTER_FORK;
  Ended ended;
  Timer timer(0s, [&] {
    ended = in_child([&] {
      if (timer.is_alive()) write('x');
      Timer in_child(1ms, [] { write('f'); });
      in_child.start();
      in_child.join();
      std::_Exit(7);  // what only the stack of the main thread refers to is no leak
    });
  });
  timer.start();
  timer.join();
  EXPECT_EQ(ended, (Ended{7, "f"}));
}

TEST(TimerFork, InTheChildAFunctionThatForkedMayReturn) {
#if CONC_TEST_ASAN || CONC_TEST_TSAN
  GTEST_SKIP() << "takes what only the stack of the main thread refers to for a leak";
#endif
  ::pid_t child = -1;
  Timer timer(0s, [&] {
    child = ::fork();
    if (child == 0) ::alarm(60);
  });
  timer.start();
  timer.join();
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  // Its only thread has ended, and with it the process.
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(TimerFork, ThreeHundredUnderLoadHangNever) {
  CONC_TEST_NEEDS_THREADS_AFTER_FORK;
  std::atomic<bool> over{false};
  std::vector<std::thread> load;
  for (int i = 0; i < 3; ++i) {
    load.emplace_back([&] {
      while (!over) {
        std::vector<Timer> timers;
        for (int n = 0; n < 20; ++n) timers.emplace_back(std::chrono::microseconds(10 * n), [] {});
        for (Timer& timer : timers) timer.start();
        for (std::size_t n = 0; n < timers.size(); n += 2) timers[n].cancel();
        for (Timer& timer : timers) timer.join();
      }
    });
  }
  for (int i = 0; i < runs * 3 / 2; ++i) {
    const Ended ended = in_child([] {
      Timer cancelled(1h, [] { write('x'); });
      cancelled.start();
      Timer timer(100us, [] { write('f'); });
      timer.start();
      timer.join();
      if (cancelled.cancel()) write('c');
      std::_Exit(7);
    });
    EXPECT_EQ(ended, (Ended{7, "fc"}));
  }
  over = true;
  for (std::thread& thread : load) thread.join();
}

}  // namespace

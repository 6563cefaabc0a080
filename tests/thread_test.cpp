#include <conc/detail/thread_record.hpp>
#include <conc/diagnostics.hpp>
#include <conc/errors.hpp>
#include <conc/event.hpp>
#include <conc/hooks.hpp>
#include <conc/local.hpp>
#include <conc/lock.hpp>
#include <conc/thread.hpp>
#include <conc/thread_pool_executor.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#include <unistd.h>
#endif

#include "allocations.hpp"
#include "asleep.hpp"
#include "eventually.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Event;
using conc::Thread;
using conc::UsageError;
using conc::test::eventually;

TEST(Thread, NothingRunsBeforeStart) {
  std::atomic<bool> ran{false};
  Thread thread([&] { ran = true; });
  EXPECT_FALSE(thread.is_alive());
  EXPECT_EQ(thread.ident(), std::nullopt);
  EXPECT_EQ(thread.native_id(), std::nullopt);
  thread.start();
  thread.join();
  EXPECT_TRUE(ran);
}

TEST(Thread, StartReturnsWhenItRuns) {
  Event go;
  Thread thread([&] { go.wait(); });
  thread.start();
  EXPECT_TRUE(thread.is_alive());
  EXPECT_TRUE(thread.ident().has_value());
#if defined(__linux__)
  ASSERT_TRUE(thread.native_id().has_value());
  EXPECT_NE(thread.native_id(), ::getpid());
#endif
  go.set();
  thread.join();
  EXPECT_FALSE(thread.is_alive());
  EXPECT_TRUE(thread.ident().has_value()) << "kept after the end";
}

TEST(Thread, StartingTwiceThrowsAndChangesNothing) {
  Thread thread({.name = "once"}, [] {});
  thread.start();
  EXPECT_THROW(thread.start(), UsageError);
  thread.join();
  try {
    thread.start();
    FAIL() << "started twice";
  } catch (const UsageError& error) {
    EXPECT_EQ(std::string(error.what()),
              "conc::Thread \"once\" was started before; a thread can be started once.");
  }
}

TEST(Thread, JoinBeforeStartThrows) {
  Thread thread([] {});
  EXPECT_THROW(thread.join(), UsageError);
}

bool somebody_joins() {
  const conc::Snapshot now = conc::snapshot();
  return std::any_of(now.threads.begin(), now.threads.end(), [](const conc::ThreadSnapshot& one) {
    return one.wait && one.wait->action == "join";
  });
}

// start() meets a want of memory, its own or that of the new thread, with a thread in join()
// already.
void join_while_start_fails(bool in_new_thread) {
  static Thread* starting = nullptr;
  static std::atomic<bool> joined = false;
  static bool fails_later;
  fails_later = in_new_thread;
  bool failed = false;
  for (std::int64_t n = 0; !failed; ++n) {
    ASSERT_LT(n, 100) << "no allocation failed while it was starting";
    Thread thread({.name = "a name that takes memory to copy"}, [] {});
    starting = &thread;
    joined = false;
    std::atomic<int> outcome = 0;
    std::thread joiner([&] {
      conc::test::allocations_left = -1;
      static_cast<void>(conc::get_ident());
      joined.wait(false);
      try {
        thread.join();
        outcome = 1;
      } catch (const UsageError&) {
        outcome = 2;
      }
    });
    conc::test::at_that_allocation = [] {
      if (!starting->is_alive()) return true;
      joined = true;
      joined.notify_one();
      EXPECT_TRUE(eventually(&somebody_joins));
      if (fails_later) conc::test::first_allocations_left = 0;
      return fails_later;
    };
    conc::test::allocations_left = n;
    try {
      thread.start();
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    conc::test::allocations_left = -1;
    conc::test::at_that_allocation = nullptr;
    conc::test::first_allocations_left = -1;
    joined = true;
    joined.notify_one();
    joiner.join();
    EXPECT_EQ(outcome, failed ? 2 : 1);
    if (!failed) continue;
    EXPECT_FALSE(thread.is_alive());
    thread.start();
    thread.join();
  }
}

TEST(Thread, AJoinThatWaitsForAStartThatFailsThrows) { join_while_start_fails(false); }

TEST(Thread, AJoinThatWaitsForAThreadThatCannotBeginThrows) { join_while_start_fails(true); }

TEST(Thread, JoiningItselfThrows) {
  bool thrown = false;
  Thread* self = nullptr;
  Thread thread([&] {
    try {
      self->join();
    } catch (const UsageError&) {
      thrown = true;
    }
  });
  self = &thread;
  thread.start();
  thread.join();
  EXPECT_TRUE(thrown);
}

TEST(Thread, AnyoneMayJoinAnyNumberOfTimes) {
  Event go;
  Thread thread([&] { go.wait(); });
  thread.start();
  std::vector<std::thread> joiners;
  std::atomic<int> joined{0};
  for (int i = 0; i < 4; ++i) {
    joiners.emplace_back([&] {
      thread.join();
      ++joined;
    });
  }
  go.set();
  thread.join();
  thread.join();
  EXPECT_TRUE(thread.join(conc::at_once));
  for (std::thread& joiner : joiners) joiner.join();
  EXPECT_EQ(joined, 4);
}

TEST(Thread, JoinGivesUpAsUntilSays) {
  Event go;
  Thread thread([&] { go.wait(); });
  thread.start();
  std::stop_source source;
  source.request_stop();
  const std::stop_token stopped = source.get_token();
  EXPECT_FALSE(thread.join(1ms));
  EXPECT_FALSE(thread.join(-1s));
  EXPECT_FALSE(thread.join(std::chrono::steady_clock::now()));
  EXPECT_FALSE(thread.join(stopped));
  EXPECT_FALSE(thread.join({1h, stopped}));
  EXPECT_TRUE(thread.is_alive());
  go.set();
  EXPECT_TRUE(thread.join(1h));
}

TEST(Thread, WhatItDidIsSeenAfterJoin) {
  int value = 0;
  Thread thread([&] { value = 42; });
  thread.start();
  thread.join();
  EXPECT_EQ(value, 42);
}

TEST(Thread, ArgumentsAreMovedIn) {
  int sum = 0;
  Thread thread([&sum](std::unique_ptr<int> a, int b) { sum = *a + b; }, std::make_unique<int>(40),
                2);
  thread.start();
  thread.join();
  EXPECT_EQ(sum, 42);
}

TEST(Thread, CapturesAreDestroyedBeforeItHasEnded) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  Thread thread([held = std::move(held)] {});
  thread.start();
  thread.join();
  EXPECT_TRUE(watch.expired());
}

TEST(Thread, ALeadingStopTokenIsFilledIn) {
  Event began;
  int extra = 0;
  Thread thread(
      [&](std::stop_token stop, int n) {
        extra = n;
        began.set();
        Event never;
        EXPECT_FALSE(never.wait(stop));
      },
      7);
  thread.start();
  began.wait();
  EXPECT_TRUE(thread.request_stop());
  EXPECT_FALSE(thread.request_stop());
  thread.join();
  EXPECT_EQ(extra, 7);
  EXPECT_TRUE(thread.stop_token().stop_requested());
}

TEST(Thread, TheStopTokenIsItsFunctionsToMoveFrom) {
  std::stop_token taken;
  Thread thread([&taken](std::stop_token&& stop) { taken = std::move(stop); });
  thread.start();
  thread.join();
  EXPECT_EQ(taken, thread.stop_token());
}

TEST(Thread, TheDestructorAsksItToStopAndWaits) {
  std::atomic<bool> ended{false};
  {
    Thread thread([&](std::stop_token stop) {
      Event never;
      static_cast<void>(never.wait(stop));
      ended = true;
    });
    thread.start();
  }
  EXPECT_TRUE(ended);
}

TEST(Thread, ADaemonIsLeftRunning) {
  auto go = std::make_shared<Event>();
  auto ended = std::make_shared<Event>();
  {
    Thread thread({.daemon = true}, [go, ended] {
      go->wait();
      ended->set();
    });
    EXPECT_TRUE(thread.daemon());
    thread.start();
    EXPECT_THROW(thread.set_daemon(false), UsageError);
  }
  EXPECT_FALSE(ended->is_set());
  go->set();
  ended->wait();
}

TEST(Thread, TheDaemonFlagIsInherited) {
  bool inner = false;
  Thread outer({.daemon = true}, [&] { inner = Thread([] {}).daemon(); });
  EXPECT_FALSE(Thread([] {}).daemon()) << "the main thread is none";
  outer.start();
  outer.join();
  EXPECT_TRUE(inner);
  outer = Thread([] {});
  outer.set_daemon(true);
  EXPECT_TRUE(outer.daemon());
}

TEST(Thread, IsNoDaemonByDefaultInAThreadThatIsNoThreadOfConc) {
  bool in_stranger = true;
  bool in_worker = true;
  std::thread([&] { in_stranger = Thread([] {}).daemon(); }).join();
  conc::ThreadPoolExecutor(1).submit([&] { in_worker = Thread([] {}).daemon(); }).result();
  EXPECT_FALSE(in_stranger);
  EXPECT_FALSE(in_worker);
}

TEST(Thread, HasADefaultNameWithANumber) {
  const std::string a = Thread([] {}).name();
  const std::string b = Thread([] {}).name();
  ASSERT_EQ(a.substr(0, 7), "Thread-");
  EXPECT_EQ(std::stoi(a.substr(7)) + 1, std::stoi(b.substr(7)));
}

#if defined(__linux__)
std::string native_name() {
  char name[16] = {};
  pthread_getname_np(pthread_self(), name, sizeof name);
  return name;
}

TEST(Thread, ItsNameReachesTheOperatingSystemAndFollowsSetName) {
  Event named;
  Event renamed;
  std::string first;
  std::string second;
  std::string ours;
  Thread thread({.name = "a name longer than the limit"}, [&] {
    first = native_name();
    named.set();
    renamed.wait();
    second = native_name();
    ours = conc::detail::this_thread_name();
  });
  thread.start();
  named.wait();
  thread.set_name("short");
  renamed.set();
  thread.join();
  EXPECT_EQ(first, "a name longer t");
  EXPECT_EQ(second, "short");
  EXPECT_EQ(ours, "short");
  EXPECT_EQ(thread.name(), "short");
  thread.set_name("after the end");
  EXPECT_EQ(thread.name(), "after the end");
}

// Where an ending thread takes memory to keep its name it holds the lock on that, and there another
// one comes to rename it. On one processor, where that one goes on as soon as the lock is free.
TEST(Thread, KeepsTheNameThatItIsGivenAsItEnds) {
  static Thread* ending = nullptr;
  static std::thread renamer;
  ::cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  ::cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<unsigned>(::sched_getcpu()), &one);
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  for (int i = 0; i < 20; ++i) {
    Thread thread({.name = "a name that takes memory to copy"}, [] {
      conc::test::at_that_allocation = [] {
        static std::atomic<std::int64_t> number;
        number = 0;
        renamer = std::thread([] {
          number = ::gettid();
          ending->set_name("new");
        });
        EXPECT_TRUE(eventually([] { return conc::test::asleep_natively(number); }));
        return true;
      };
      conc::test::allocations_left = 0;
    });
    ending = &thread;
    thread.start();
    thread.join();
    renamer.join();
    EXPECT_EQ(thread.name(), "new");
  }
  EXPECT_EQ(::sched_setaffinity(0, sizeof before, &before), 0);
}
#endif

TEST(Thread, AnEscapedExceptionIsReportedWithTheThreadsName) {
  static std::string channel;
  static std::string text;
  conc::set_report_hook([](const conc::Report& news) {
    channel = news.channel;
    text = std::string(news.message) + " " + conc::describe(news.exception);
  });
  Thread thread({.name = "w1"}, [] { throw std::runtime_error("lost"); });
  thread.start();
  thread.join();
  conc::set_report_hook(nullptr);
  EXPECT_EQ(channel, "conc.thread");
  EXPECT_EQ(text, "conc::Thread \"w1\" was ended by an exception. std::runtime_error: lost");
}

TEST(Thread, MovesAndIsThenEmpty) {
  std::vector<Thread> threads;
  std::atomic<int> ran{0};
  for (int i = 0; i < 5; ++i) threads.emplace_back([&] { ++ran; });
  for (Thread& thread : threads) thread.start();
  for (Thread& thread : threads) thread.join();
  EXPECT_EQ(ran, 5);
  Thread moved = std::move(threads[0]);
  EXPECT_FALSE(moved.is_alive());
  EXPECT_THROW(threads[0].start(), UsageError);  // NOLINT(bugprone-use-after-move)
}

TEST(Thread, MayDestroyItsOwnObject) {
  auto ended = std::make_shared<Event>();
  auto go = std::make_shared<Event>();
  auto thread = std::make_shared<std::unique_ptr<Thread>>();
  *thread = std::make_unique<Thread>([go, ended, thread] {
    go->wait();
    thread->reset();
    ended->set();
  });
  (*thread)->start();
  go->set();
  ended->wait();
}

// What is left of a thread when its function is over: the last that it does.
struct AtThreadEnd {
  std::function<void()> f;
  ~AtThreadEnd() {
    if (f) f();
  }
};
thread_local AtThreadEnd at_thread_end;

TEST(Thread, MayDestroyItsOwnObjectWhileItsThreadLocalsGo) {
  for (const bool daemon : {false, true}) {
    auto go = std::make_shared<Event>();
    auto gone = std::make_shared<Event>();
    auto* const thread = new std::unique_ptr<Thread>;
    *thread = std::make_unique<Thread>(conc::ThreadOptions{.daemon = daemon}, [=] {
      go->wait();
      at_thread_end.f = [=] {
        delete thread;
        gone->set();
      };
    });
    (*thread)->start();
    go->set();
    gone->wait();
  }
}

TEST(Thread, MayDestroyItsOwnObjectWithItsValueOfALocal) {
  static conc::Local<AtThreadEnd> local;
  auto go = std::make_shared<Event>();
  auto gone = std::make_shared<Event>();
  auto* const thread = new std::unique_ptr<Thread>;
  *thread = std::make_unique<Thread>([=] {
    go->wait();
    local->f = [=] {
      delete thread;
      gone->set();
    };
  });
  (*thread)->start();
  go->set();
  gone->wait();
  EXPECT_TRUE(eventually([] { return local.size() == 0; }));
}

TEST(Thread, JoiningItselfWhileItsThreadLocalsGoThrows) {
  bool thrown = false;
  Thread* self = nullptr;
  Thread thread([&] {
    at_thread_end.f = [&] {
      try {
        self->join();
      } catch (const UsageError&) {
        thrown = true;
      }
    };
  });
  self = &thread;
  thread.start();
  thread.join();
  EXPECT_TRUE(thrown);
}

// What is left of the threads below when their functions are over takes until it is told to end.
struct Lingering {
  Event go;
  Event gone;
  void begin() {
    at_thread_end.f = [this] {
      static_cast<void>(go.wait(10s));  // not for ever, or a join that waits for it fails no test
      gone.set();
    };
  }
};

TEST(Thread, AJoinWithALimitDoesNotWaitForItsThreadLocalsButTheDestructorDoes) {
  for (const bool daemon : {false, true}) {
    Lingering rest;
    {
      Thread thread({.daemon = daemon}, [&rest] { rest.begin(); });
      thread.start();
      std::stop_source source;
      const std::stop_token token = source.get_token();
      EXPECT_TRUE(thread.join(1h));
      EXPECT_TRUE(thread.join(std::chrono::system_clock::now() + 1h));
      EXPECT_TRUE(thread.join(token));
      EXPECT_TRUE(thread.join({1h, token}));
      EXPECT_TRUE(thread.join(conc::at_once));
      EXPECT_FALSE(thread.is_alive());
      EXPECT_FALSE(rest.gone.is_set());
      if (!daemon) rest.go.set();
    }
    EXPECT_EQ(rest.gone.is_set(), !daemon);
    rest.go.set();
    rest.gone.wait();
  }
}

TEST(Thread, AJoinWithALimitDoesNotWaitForOneThatWaitsForItsThreadLocals) {
  Event finish;
  Lingering rest;
  Thread thread([&] {
    finish.wait();
    rest.begin();
  });
  thread.start();
  std::thread endless([&] {
    thread.join();
    EXPECT_TRUE(rest.gone.is_set());
  });
  EXPECT_TRUE(eventually(&somebody_joins));
  finish.set();
  EXPECT_TRUE(eventually([] { return !somebody_joins(); }));
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(thread.join(1h));
    std::this_thread::yield();
  }
  EXPECT_FALSE(rest.gone.is_set());
  rest.go.set();
  endless.join();
  EXPECT_TRUE(thread.join(std::nullopt));
}

TEST(ThreadRecord, AForeignThreadHasANameOfItsOwn) {
  std::string name;
  conc::detail::ThreadId id = 0;
  std::thread([&] {
    name = conc::detail::this_thread_name();
    id = conc::detail::self_id();
    EXPECT_EQ(conc::detail::thread_name(id), name);
    conc::detail::set_this_thread_name("renamed");
    EXPECT_EQ(conc::detail::thread_name(id), "renamed");
  }).join();
  EXPECT_EQ(name.substr(0, 6), "Dummy-");
  EXPECT_TRUE(eventually([&] { return conc::detail::thread_name(id).empty(); }))
      << "gone with its thread";
}

TEST(ThreadRecord, TheMainThreadIsNamedSo) {
  EXPECT_EQ(conc::detail::this_thread_name(), "MainThread");
}

TEST(ThreadRecord, NoTwoThreadsHaveTheSameId) {
  std::vector<conc::detail::ThreadId> ids;
  for (int i = 0; i < 20; ++i) {
    std::thread([&] { ids.push_back(conc::detail::self_id()); }).join();
  }
  for (std::size_t i = 1; i < ids.size(); ++i) EXPECT_LT(ids[i - 1], ids[i]);
}

// The library may be used while a thread's own objects go.
struct LateUser {
  conc::Lock* lock;
  ~LateUser() {
    lock->acquire();
    lock->release();
  }
};

TEST(ThreadRecord, OutlivesTheThreadsOwnObjects) {
  static conc::Lock lock;
  for (int i = 0; i < 20; ++i) {
    std::thread([] {
      thread_local LateUser user{&lock};
      EXPECT_NE(user.lock, nullptr);
    }).join();
  }
  EXPECT_FALSE(lock.locked());
}

}  // namespace

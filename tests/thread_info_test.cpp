#include <conc/event.hpp>
#include <conc/lock.hpp>
#include <conc/thread.hpp>
#include <conc/thread_info.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <unistd.h>

#include "eventually.hpp"
#include "gate.hpp"

namespace {

using conc::Event;
using conc::Thread;
using conc::ThreadInfo;
using conc::test::eventually;

bool listed(std::uint64_t ident) {
  const std::vector<ThreadInfo> all = conc::enumerate();
  return std::any_of(all.begin(), all.end(),
                     [ident](const ThreadInfo& info) { return info.ident == ident; });
}

TEST(ThreadInfo, TheMainThreadIsKnownFromTheStart) {
  const ThreadInfo main = conc::main_thread();
  EXPECT_EQ(main.name, "MainThread");
  EXPECT_TRUE(main.main);
  EXPECT_TRUE(main.alive);
  EXPECT_FALSE(main.daemon);
  EXPECT_EQ(main.native_id, ::getpid());
  EXPECT_EQ(conc::current_thread().ident, main.ident);
  EXPECT_EQ(conc::get_ident(), main.ident);
  EXPECT_EQ(conc::get_native_id(), main.native_id);
}

TEST(ThreadInfo, EnumerateListsStartedThreadsInOrderUntilTheyEnd) {
  Event go;
  std::vector<Thread> threads;
  for (int i = 0; i < 5; ++i) {
    threads.emplace_back(conc::ThreadOptions{.name = "w" + std::to_string(i)}, [&] { go.wait(); });
  }
  const std::size_t before = conc::active_count();
  EXPECT_EQ(conc::enumerate().size(), before) << "none is alive before start()";
  for (Thread& thread : threads) thread.start();
  const std::vector<ThreadInfo> all = conc::enumerate();
  ASSERT_EQ(all.size(), before + 5);
  EXPECT_EQ(conc::active_count(), before + 5);
  for (std::size_t i = 0; i < 5; ++i) {
    const ThreadInfo& info = all[before + i];
    EXPECT_EQ(info.name, "w" + std::to_string(i));
    EXPECT_EQ(info.ident, threads[i].ident());
    EXPECT_EQ(info.native_id, threads[i].native_id());
    EXPECT_FALSE(info.main);
  }
  go.set();
  for (Thread& thread : threads) {
    thread.join();
    EXPECT_FALSE(listed(thread.ident().value()));
  }
  EXPECT_EQ(conc::active_count(), before);
}

TEST(ThreadInfo, AThreadThatIsNotAliveAnyMoreIsNotListed) {
  // is_alive() turns false after the thread has left the list, not before.
  for (int i = 0; i < 200; ++i) {
    Thread thread([] {});
    thread.start();
    ASSERT_TRUE(eventually([&] { return !thread.is_alive(); }));
    ASSERT_FALSE(listed(thread.ident().value()));
  }
}

TEST(ThreadInfo, AForeignThreadAppearsAtItsFirstContactAndGoesWithItsEnd) {
  std::atomic<bool> asked{false};
  Event go;
  ThreadInfo info;
  std::thread foreign([&] {
    info = conc::current_thread();
    asked = true;
    go.wait();
  });
  ASSERT_TRUE(eventually([&] { return asked.load(); }));
  EXPECT_EQ(info.name.substr(0, 6), "Dummy-");
  EXPECT_TRUE(info.daemon);
  EXPECT_FALSE(info.main);
  EXPECT_TRUE(listed(info.ident));
  go.set();
  foreign.join();
  EXPECT_TRUE(eventually([&] { return !listed(info.ident); }));
}

TEST(ThreadInfo, AForeignThreadThatWaitsInsideConcIsListed) {
  const std::size_t before = conc::active_count();
  conc::Lock lock;
  lock.acquire();
  std::thread foreign([&] {
    lock.acquire();
    lock.release();
  });
  ASSERT_TRUE(conc::test::eventually_waiting(lock, 1));
  EXPECT_EQ(conc::active_count(), before + 1);
  lock.release();
  foreign.join();
  EXPECT_TRUE(eventually([&] { return conc::active_count() == before; }));
}

TEST(ThreadInfo, AThreadMadeByAForeignOneIsNoDaemon) {
  std::thread([] {
    EXPECT_TRUE(conc::current_thread().daemon);
    EXPECT_FALSE(Thread([] {}).daemon());
  }).join();
}

TEST(ThreadInfo, ANameSetByTheThreadItselfIsSeenByAll) {
  std::string native;
  std::string named;
  Thread thread({.name = "before"}, [&] {
    conc::set_current_thread_name("after");
    named = conc::current_thread().name;
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof name);
    native = name;
  });
  thread.start();
  thread.join();
  EXPECT_EQ(named, "after");
  EXPECT_EQ(native, "after");
  EXPECT_EQ(thread.name(), "after");
}

TEST(ThreadInfo, ALongNameIsCutBetweenCharacters) {
  std::string native;
  Thread thread({.name = "f\xC3\xA4"
                         "den \xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC"},
                [&] {
                  char name[16] = {};
                  pthread_getname_np(pthread_self(), name, sizeof name);
                  native = name;
                });
  thread.start();
  thread.join();
  EXPECT_EQ(native,
            "f\xC3\xA4"
            "den \xE2\x82\xAC\xE2\x82\xAC");
}

TEST(ThreadInfo, ListingIsSafeWhileThreadsComeAndGo) {
  std::atomic<bool> stop{false};
  std::thread lister([&] {
    while (!stop) {
      for (const ThreadInfo& info : conc::enumerate()) {
        ASSERT_NE(info.ident, 0U);
        ASSERT_FALSE(info.name.empty());
      }
    }
  });
  conc::test::together(4, [](std::size_t) {
    for (int i = 0; i < 50; ++i) {
      Thread thread({.name = "short-lived"}, [] { conc::set_current_thread_name("renamed"); });
      thread.start();
      thread.set_name("named from outside");
    }
  });
  stop = true;
  lister.join();
}

}  // namespace

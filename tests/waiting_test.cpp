// The waiting layer's laws, each with a test of its name; include/conc/detail/waiting.hpp states
// them.

#include <conc/condition.hpp>
#include <conc/detail/waiting.hpp>
#include <conc/event.hpp>
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sys/resource.h>
#endif

#include "allocations.hpp"
#include "eventually.hpp"
#include "gate.hpp"
#include "shelf.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Until;
using conc::detail::Outcome;
using conc::detail::Patience;
using conc::detail::ThreadNode;
using conc::detail::WaitKind;
using conc::detail::WaitList;
using conc::detail::WaitNode;
using conc::detail::WakeChain;
using conc::test::eventually;
using conc::test::eventually_waiting;
using conc::test::Shelf;
using conc::test::waiters;

// ---- The list

struct Silent : WaitNode {
  Silent() : WaitNode([](WaitNode&) noexcept {}) {}
};

TEST(WaitList, IsFirstInFirstOut) {
  WaitList list;
  Silent a, b, c;
  list.push_back(a);
  EXPECT_TRUE(list.has_one());
  list.push_back(b);
  list.push_front(c);
  EXPECT_EQ(list.size(), 3U);
  EXPECT_EQ(list.front(), &c);
  EXPECT_EQ(&list.pop_front(), &c);
  EXPECT_EQ(&list.pop_front(), &a);
  EXPECT_EQ(&list.pop_front(), &b);
  EXPECT_TRUE(list.empty());
}

TEST(WaitList, RemovesFromAnywhere) {
  for (int gone = 0; gone < 3; ++gone) {
    WaitList list;
    Silent nodes[3];
    for (Silent& node : nodes) list.push_back(node);
    list.remove(nodes[gone]);
    EXPECT_FALSE(nodes[gone].linked());
    for (int i = 0; i < 3; ++i) {
      if (i != gone) {
        EXPECT_EQ(&list.pop_front(), &nodes[i]);
      }
    }
    EXPECT_TRUE(list.empty());
  }
}

TEST(WaitList, TakesAsManyAsThereAre) {
  WaitList list;
  Silent nodes[3];
  for (Silent& node : nodes) list.push_back(node);
  WakeChain two = list.take_front(2);
  EXPECT_EQ(list.size(), 1U);
  EXPECT_FALSE(nodes[0].linked()) << "in a chain means off the list";
  EXPECT_EQ(&two.pop_front(), &nodes[0]);
  EXPECT_EQ(&two.pop_front(), &nodes[1]);
  EXPECT_TRUE(two.empty());
  WakeChain rest = list.take_front(7);
  EXPECT_EQ(&rest.pop_front(), &nodes[2]);
  EXPECT_TRUE(rest.empty() && list.empty());
}

TEST(WaitNode, WakeIsWhateverTheNodeSaysItIs) {
  struct Counting : WaitNode {
    Counting() : WaitNode([](WaitNode& node) noexcept { ++static_cast<Counting&>(node).woken; }) {}
    int woken = 0;
  };
  Shelf shelf;
  Counting node;
  shelf.enter(node);
  EXPECT_EQ(shelf.wake(5), 1U);
  EXPECT_EQ(node.woken, 1);
}

// ---- Law 1

TEST(WaitingLaw, AWakerNeverTouchesANodeThatMayBeGone) {
  // The waiter frees its node the moment it is woken; the address sanitizer watches the waker.
  Shelf shelf;
  constexpr int rounds = 5'000;
  std::thread waker([&] {
    for (int woken = 0; woken < rounds;) {
      if (shelf.wake(1) != 0) {
        ++woken;
      } else {
        std::this_thread::yield();
      }
    }
  });
  for (int i = 0; i < rounds; ++i) {
    auto node =
        std::make_unique<ThreadNode>(conc::detail::WaitReason{WaitKind::event, &shelf, nullptr});
    shelf.enter(*node);
    Patience patience(conc::forever);
    if (i % 2 == 0) {
      EXPECT_EQ(node->sleep(patience), Outcome::woken);
    } else {
      EXPECT_EQ(node->spin_then_sleep(patience), Outcome::woken);
    }
  }
  waker.join();
  EXPECT_EQ(waiters(shelf), 0U);
}

TEST(WaitingLaw, AWakerMayNotifyAThreadThatHasEnded) {
  Shelf shelf;
  for (int i = 0; i < 300; ++i) {
    std::thread waiter([&] { EXPECT_TRUE(shelf.wait(conc::forever)); });
    std::thread waker([&] {
      while (shelf.wake(1) == 0) std::this_thread::yield();
    });
    waiter.join();
    waker.join();
  }
}

// ---- Law 2

TEST(WaitingLaw, OffTheListMeansWokenEvenIfTheTimeIsUp) {
  Shelf shelf;
  ThreadNode node({WaitKind::event, &shelf, nullptr});
  shelf.enter(node);
  // Taken off by a waker that has not come to the wake yet.
  WakeChain taken;
  {
    const std::lock_guard lock(shelf.mutex_);
    taken = shelf.waiters_.take_all();
  }
  Patience patience(1ms);
  EXPECT_EQ(node.sleep(patience), Outcome::timed_out);
  EXPECT_FALSE(node.linked());
  std::thread waker([&] { taken.wake_all(); });
  node.sleep_until_woken();
  waker.join();
}

TEST(WaitingLaw, OffTheListMeansWokenEvenIfAStopCameFirst) {
  Shelf shelf;
  ThreadNode node({WaitKind::event, &shelf, nullptr});
  shelf.enter(node);
  WakeChain taken;
  {
    const std::lock_guard lock(shelf.mutex_);
    taken = shelf.waiters_.take_all();
  }
  std::stop_source source;
  source.request_stop();
  const std::stop_token token = source.get_token();
  Patience patience(token);
  EXPECT_EQ(node.sleep(patience), Outcome::stopped);
  std::thread waker([&] { taken.wake_all(); });
  node.sleep_until_woken();
  waker.join();
}

TEST(WaitingLaw, AWakeUpIsNotEatenByAWaiterThatGaveUp) {
  // One waiter gives up; the wake-up that comes then reaches the other.
  Shelf shelf;
  std::stop_source source;
  const std::stop_token token = source.get_token();
  std::thread quitter([&] { EXPECT_FALSE(shelf.wait(token)); });
  ASSERT_TRUE(eventually_waiting(shelf, 1));
  std::thread stayer([&] { EXPECT_TRUE(shelf.wait(conc::forever)); });
  ASSERT_TRUE(eventually_waiting(shelf, 2));
  source.request_stop();
  quitter.join();
  EXPECT_EQ(waiters(shelf), 1U);
  EXPECT_EQ(shelf.wake(1), 1U);
  stayer.join();
}

TEST(WaitingLaw, AStopOrTimeoutDisturbsNobodyElse) {
  Shelf shelf;
  std::stop_source source;
  const std::stop_token token = source.get_token();
  std::atomic<int> gave_up{0};
  std::vector<std::thread> others;
  for (std::size_t i = 0; i < 4; ++i) {
    others.emplace_back([&] { EXPECT_TRUE(shelf.wait(conc::forever)); });
    ASSERT_TRUE(eventually_waiting(shelf, i + 1));
  }
  std::thread stopped([&] { gave_up += shelf.wait(token) ? 0 : 1; });
  ASSERT_TRUE(eventually_waiting(shelf, 5));
  std::thread late([&] { gave_up += shelf.wait(1ms) ? 0 : 1; });
  late.join();
  source.request_stop();
  stopped.join();
  EXPECT_EQ(gave_up, 2);
  EXPECT_EQ(waiters(shelf), 4U);
  EXPECT_EQ(shelf.wake(9), 4U);
  for (std::thread& thread : others) thread.join();
}

// ---- Law 3

TEST(WaitingLaw, LastTouchLetsTheWokenThreadDestroyTheObject) {
  for (int i = 0; i < 5'000; ++i) {
    auto event = std::make_unique<conc::Event>();
    std::thread setter([raw = event.get()] { raw->set(); });
    event->wait();
    event.reset();
    setter.join();
  }
}

// ---- Law 4

TEST(WaitingLaw, AStopCallbackTakesTheRecordsMutexOnly) {
  // The stop is requested by a thread that holds the object's mutex: were the callback to take it,
  // this would hang.
  Shelf shelf;
  std::stop_source source;
  const std::stop_token token = source.get_token();
  std::thread waiter([&] { EXPECT_FALSE(shelf.wait(token)); });
  ASSERT_TRUE(eventually_waiting(shelf, 1));
  {
    const std::lock_guard lock(shelf.mutex_);
    source.request_stop();
  }
  waiter.join();
  EXPECT_EQ(waiters(shelf), 0U);
}

TEST(WaitingLaw, AStopCallbackIsMadeAndUnmadeWithNoLockHeld) {
  // A callback of the user's, on the same token, uses the object while the stop is under way.
  conc::Event event;
  std::stop_source source;
  const std::stop_token token = source.get_token();
  std::thread waiter([&] { static_cast<void>(event.wait(token)); });
  ASSERT_TRUE(eventually_waiting(event, 1));
  const std::stop_callback users(token, [&] { event.set(); });
  source.request_stop();
  waiter.join();
  EXPECT_TRUE(event.is_set());
}

// ---- Law 5

TEST(WaitingLaw, UserCodeMayCallBack) {
  // The predicate runs under the user's own lock alone: it may use the condition and its lock.
  conc::Condition condition;
  const conc::LockGuard hold(condition);
  int asked = 0;
  EXPECT_TRUE(condition.wait_for(
      [&] {
        condition.notify_all();
        const conc::LockGuard again(condition);
        return ++asked == 2;
      },
      1ms));
}

// ---- Law 6

#if defined(__linux__)
TEST(WaitingLaw, ATimeAlreadyPastNeverReachesTheOperatingSystem) {
  Shelf shelf;
  const auto past = Until::Clock::now() - 1s;
  const auto sleeps = [] {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
  };
  EXPECT_FALSE(shelf.wait(past));  // the first contact with the library
  const auto before = sleeps();
  for (int i = 0; i < 1'000; ++i) EXPECT_FALSE(shelf.wait(past));
  EXPECT_LT(sleeps() - before, 100) << "a thread that sleeps gives up its processor";
}
#endif

TEST(WaitingLaw, DeadlinesAtTheEndsOfTimeAreSound) {
  Shelf shelf;
  EXPECT_FALSE(shelf.wait(Until::Clock::time_point::min()));
  std::thread waiter([&] { EXPECT_TRUE(shelf.wait(std::chrono::nanoseconds::max() - 1ns)); });
  std::thread other([&] { EXPECT_TRUE(shelf.wait(Until::Clock::time_point::max())); });
  ASSERT_TRUE(eventually_waiting(shelf, 2));
  shelf.wake(2);
  waiter.join();
  other.join();
}

TEST(WaitingLaw, ADurationIsCountedFromTheFirstSleepNotFromEach) {
  Patience patience(200ms);
  const auto first = patience.deadline();
  ASSERT_TRUE(eventually([&] { return Until::Clock::now() > first - 199ms; }));
  EXPECT_EQ(patience.deadline(), first);
}

TEST(WaitingLaw, ATimeoutIsNeverEarly) {
  Shelf shelf;
  for (const auto timeout : {0us, 1us, 70us, 3000us}) {
    const auto start = Until::Clock::now();
    EXPECT_FALSE(shelf.wait(timeout));
    EXPECT_GE(Until::Clock::now() - start, timeout);
  }
}

// ---- Law 7

TEST(WaitingLaw, WakingReleasingAndSettingDoNotAllocate) {
  conc::Event request;
  conc::Event answer;
  conc::Lock lock;
  conc::Condition condition(lock);
  bool stop = false;
  std::thread partner([&] {
    for (;;) {
      request.wait();
      request.clear();
      const conc::LockGuard hold(lock);
      condition.notify_all();
      answer.set();
      if (stop) return;
    }
  });
  std::size_t before = 0;
  for (int i = 0; i < 2'000; ++i) {
    if (i == 10) before = conc::test::allocations;  // both threads have met the library
    request.set();
    answer.wait();
    answer.clear();
    const conc::LockGuard hold(lock);
    static_cast<void>(condition.wait(10us));
  }
  EXPECT_EQ(conc::test::allocations, before);
  {
    const conc::LockGuard hold(lock);
    stop = true;
  }
  request.set();
  partner.join();
}

}  // namespace

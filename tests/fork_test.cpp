// What the child of a fork finds of the objects in which other threads slept.

#include <conc/barrier.hpp>
#include <conc/condition.hpp>
#include <conc/diagnostics.hpp>
#include <conc/event.hpp>
#include <conc/future.hpp>
#include <conc/lock.hpp>
#include <conc/promise.hpp>
#include <conc/queue.hpp>
#include <conc/rlock.hpp>
#include <conc/select.hpp>
#include <conc/semaphore.hpp>
#include <conc/thread.hpp>
#include <conc/wait.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include "asleep.hpp"
#include "eventually.hpp"
#include "forked.hpp"
#include "sanitizers.hpp"

namespace {

using conc::test::asleep;
using conc::test::eventually;
using conc::test::in_child;
using conc::test::waiters;

void check(bool what_holds, int exit_status) {
  if (!what_holds) ::_exit(exit_status);
}

// Has new threads write all over the stacks of those that are gone, which they get.
void use_stacks() {
#if !CONC_TEST_TSAN  // which starts no threads in the child of a fork
  for (int round = 0; round < 2; ++round) {
    std::vector<std::thread> threads;
    for (int n = 0; n < 4; ++n) {
      threads.emplace_back([] {
        volatile unsigned char room[32 * 1024];
        for (volatile unsigned char& byte : room) byte = 0x5a;
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
#endif
}

// Forks while a thread sleeps in wait(), which let_go() then ends.
template <class Wait, class LetGo, class Child>
void fork_beside_sleeper(Wait&& wait, LetGo&& let_go, Child&& child) {
  conc::Thread sleeper({.name = "sleeper"}, [&wait] { wait(); });
  sleeper.start();
  EXPECT_TRUE(eventually([] { return asleep("sleeper"); }));
  EXPECT_EQ(in_child([&child] {
              use_stacks();
              child();
            }),
            0);
  let_go();
  sleeper.join();
}

TEST(Fork, NobodyWaitsForTheChildsEvent) {
  std::optional<conc::Event> event(std::in_place);
  fork_beside_sleeper([&] { event->wait(); }, [&] { event->set(); },
                      [&] {
                        check(waiters(*event) == 0, 1);
                        event->set();
                        event->wait();
                        event.reset();
                      });
}

template <class L>
void fork_beside_acquirer() {
  std::optional<L> lock(std::in_place);
  lock->acquire();
  fork_beside_sleeper(
      [&] {
        lock->acquire();
        lock->release();
      },
      [&] { lock->release(); },
      [&] {
        check(waiters(*lock) == 0, 1);
        lock->release();
        check(lock->try_acquire(), 2);
        lock->release();
        lock.reset();
      });
}

TEST(Fork, NobodyWaitsForTheChildsLock) { fork_beside_acquirer<conc::Lock>(); }

TEST(Fork, NobodyWaitsForTheChildsRLock) { fork_beside_acquirer<conc::RLock>(); }

TEST(Fork, NobodyWaitsForTheChildsCondition) {
  std::optional<conc::Condition> condition(std::in_place);
  fork_beside_sleeper(
      [&] {
        condition->acquire();
        condition->wait();
        condition->release();
      },
      [&] {
        condition->acquire();
        condition->notify();
        condition->release();
      },
      [&] {
        check(waiters(*condition) == 0, 1);
        condition->acquire();
        condition->notify_all();
        condition->release();
        condition.reset();
      });
}

TEST(Fork, WhoWasNotifiedWaitsForTheChildsConditionNoMore) {
  std::optional<conc::Condition> condition(std::in_place);
  conc::Event waiting;
  conc::Thread notified({.name = "sleeper"}, [&] {
    condition->acquire();
    waiting.set();
    condition->wait();
    condition->release();
  });
  notified.start();
  waiting.wait();
  condition->acquire();
  condition->notify();
  EXPECT_TRUE(eventually([] { return asleep("sleeper"); }));
  EXPECT_EQ(in_child([&] {
              use_stacks();
              check(conc::detail::Inspect::acquirers(*condition) == 0, 1);
              condition->release();
              condition->acquire();
              condition->release();
              condition.reset();
            }),
            0);
  condition->release();
  notified.join();
}

TEST(Fork, NobodyTakesThePermitsOfTheChildsSemaphore) {
  std::optional<conc::Semaphore> semaphore(std::in_place, 0);
  fork_beside_sleeper([&] { semaphore->acquire(); }, [&] { semaphore->release(); },
                      [&] {
                        check(waiters(*semaphore) == 0, 1);
                        semaphore->release();
                        check(semaphore->try_acquire(), 2);
                        check(!semaphore->try_acquire(), 3);
                        semaphore.reset();
                      });
}

TEST(Fork, TheChildsBarrierIsBroken) {
  std::optional<conc::Barrier> barrier(std::in_place, 2);
  fork_beside_sleeper([&] { barrier->wait(); }, [&] { barrier->wait(); },
                      [&] {
                        check(barrier->broken(), 1);
                        check(waiters(*barrier) == 0, 2);
                        barrier->reset();
                        check(barrier->n_waiting() == 0 && !barrier->broken(), 3);
                        barrier.reset();
                      });
}

TEST(Fork, NobodyGetsFromTheChildsQueue) {
  std::optional<conc::Queue<int>> queue(std::in_place);
  fork_beside_sleeper([&] { static_cast<void>(queue->get()); }, [&] { queue->put(1); },
                      [&] {
                        check(waiters(*queue) == 0, 1);
                        queue->put(1);
                        check(queue->get() == 1, 2);
                        queue.reset();
                      });
}

TEST(Fork, NobodyPutsIntoTheChildsQueue) {
  std::optional<conc::Queue<int>> queue(std::in_place, 1);
  queue->put(1);
  fork_beside_sleeper([&] { queue->put(2); }, [&] { static_cast<void>(queue->get()); },
                      [&] {
                        check(waiters(*queue) == 0, 1);
                        check(queue->get() == 1, 2);
                        check(!queue->try_get(), 3);
                        queue.reset();
                      });
}

TEST(Fork, NobodyJoinsTheChildsQueue) {
  std::optional<conc::Queue<int>> queue(std::in_place);
  queue->put(1);
  fork_beside_sleeper([&] { queue->join(); }, [&] { queue->task_done(); },
                      [&] {
                        check(waiters(*queue) == 0, 1);
                        queue->task_done();
                        queue.reset();
                      });
}

TEST(Fork, NobodyLooksIntoTheChildsQueue) {
  std::optional<conc::Queue<int>> queue(std::in_place);
  fork_beside_sleeper([&] { queue->wait_not_empty(); }, [&] { queue->put(1); },
                      [&] {
                        check(waiters(*queue) == 0, 1);
                        queue->put(1);
                        check(queue->get() == 1, 2);
                        queue.reset();
                      });
}

TEST(Fork, NobodySelectsFromTheChildsQueues) {
  std::optional<conc::Queue<int>> one(std::in_place);
  std::optional<conc::Queue<int>> two(std::in_place);
  fork_beside_sleeper([&] { conc::select(*one, *two); }, [&] { two->put(1); },
                      [&] {
                        check(waiters(*one) == 0 && waiters(*two) == 0, 1);
                        one->put(1);
                        two->put(2);
                        check(conc::select(*one, *two) == 0, 2);
                        one.reset();
                        two.reset();
                      });
}

TEST(Fork, NobodyWaitsForTheChildsFuture) {
  conc::Promise<int> promise;
  conc::Future<int> future = promise.future();
  fork_beside_sleeper([&] { future.wait(); }, [&] { promise.set_result(1); },
                      [&] {
                        promise.set_result(2);
                        check(future.result() == 2, 1);
                        future = {};
                      });
}

TEST(Fork, NobodyWaitsForTheChildsFutures) {
  std::vector<conc::Promise<int>> promises(2);
  std::vector<conc::Future<int>> futures{promises[0].future(), promises[1].future()};
  const auto set_both = [&] {
    for (conc::Promise<int>& promise : promises) promise.set_result(1);
  };
  fork_beside_sleeper([&] { static_cast<void>(conc::wait(futures)); }, set_both,
                      [&] {
                        set_both();
                        check(futures[0].result() + futures[1].result() == 2, 1);
                        futures.clear();
                      });
}

// Of a hundred threads that sleep in a few objects, whatever they wait for.
TEST(Fork, ManySleepersAreForgotten) {
  conc::Event go;
  conc::Semaphore permits(0);
  conc::Queue<int> queue;
  std::vector<std::unique_ptr<conc::Thread>> threads;
  constexpr int each = 33;
  for (int n = 0; n < each; ++n) {
    threads.push_back(std::make_unique<conc::Thread>([&] { go.wait(); }));
    threads.push_back(std::make_unique<conc::Thread>([&] { permits.acquire(); }));
    threads.push_back(std::make_unique<conc::Thread>([&] { static_cast<void>(queue.get()); }));
  }
  for (const auto& thread : threads) thread->start();
  EXPECT_TRUE(eventually([&] {
    const conc::Snapshot seen = conc::snapshot();
    return std::count_if(seen.threads.begin(), seen.threads.end(),
                         [](const auto& thread) { return thread.wait.has_value(); }) == 3 * each;
  }));
  EXPECT_EQ(in_child([&] {
              check(waiters(go) + waiters(permits) + waiters(queue) == 0, 1);
              use_stacks();
              go.set();
              permits.release(2);
              queue.put(1);
              check(permits.try_acquire() && permits.try_acquire() && !permits.try_acquire(), 2);
              check(queue.get() == 1, 3);
            }),
            0);
  go.set();
  permits.release(each);
  for (int n = 0; n < each; ++n) queue.put(n);
  for (const auto& thread : threads) thread->join();
}

}  // namespace

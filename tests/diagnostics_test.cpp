#include <conc/barrier.hpp>
#include <conc/condition.hpp>
#include <conc/diagnostics.hpp>
#include <conc/event.hpp>
#include <conc/lock.hpp>
#include <conc/queue.hpp>
#include <conc/rlock.hpp>
#include <conc/semaphore.hpp>
#include <conc/thread.hpp>
#include <conc/thread_pool_executor.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>

#include "asleep.hpp"
#include "eventually.hpp"
#include "gate.hpp"

namespace {

using namespace std::chrono_literals;
using conc::ContendedObject;
using conc::Event;
using conc::Lock;
using conc::Snapshot;
using conc::Thread;
using conc::ThreadSnapshot;
using conc::test::asleep;
using conc::test::eventually;
using conc::test::eventually_waiting;

const ThreadSnapshot* find(const Snapshot& seen, const std::string& name) {
  const auto found =
      std::find_if(seen.threads.begin(), seen.threads.end(),
                   [&name](const ThreadSnapshot& thread) { return thread.info.name == name; });
  return found != seen.threads.end() ? &*found : nullptr;
}

// What the thread "waiter" waits for while it runs f, which `let_go` lets go on.
struct Seen {
  ContendedObject object;
  conc::ThreadWait wait;
  std::uint64_t waiter = 0;
  std::string dump;
};
Seen look_at_waiter(const std::function<void()>& f, const std::function<void()>& let_go) {
  Thread waiter({.name = "waiter"}, f);
  waiter.start();
  EXPECT_TRUE(eventually([] { return asleep("waiter"); }));
  const Snapshot seen = conc::snapshot();
  let_go();
  waiter.join();
  const ThreadSnapshot* const thread = find(seen, "waiter");
  if (thread == nullptr || !thread->wait) return {};
  std::ostringstream dump;
  conc::dump_threads(dump, seen);
  return {seen.objects.at(thread->wait->object), *thread->wait, thread->info.ident, dump.str()};
}

TEST(Snapshot, ShowsALockWithItsHolderAndItsName) {
  Lock lock("fork");
  lock.acquire();
  const auto before = std::chrono::steady_clock::now();
  const Seen seen = look_at_waiter(
      [&] {
        lock.acquire();
        lock.release();
      },
      [&] { lock.release(); });
  EXPECT_EQ(seen.object.type, "Lock");
  EXPECT_EQ(seen.object.name, "fork");
  EXPECT_EQ(seen.object.holder, conc::get_ident());
  EXPECT_EQ(seen.object.waiters, std::vector<std::uint64_t>{seen.waiter});
  EXPECT_EQ(seen.wait.action, "acquire");
  EXPECT_GE(seen.wait.since, before);
  EXPECT_EQ(seen.wait.deadline, std::nullopt);
  EXPECT_NE(seen.dump.find("waits to acquire Lock \"fork\" held by \"MainThread\" (1) since 0."),
            std::string::npos)
      << seen.dump;
}

TEST(Snapshot, ShowsADeadlineAndAnRLocksOwner) {
  conc::RLock lock("ring");
  lock.acquire();
  const Seen seen = look_at_waiter(
      [&] {
        if (lock.acquire(1h)) lock.release();
      },
      [&] { lock.release(); });
  EXPECT_EQ(seen.object.type, "RLock");
  EXPECT_EQ(seen.object.holder, conc::get_ident());
  ASSERT_TRUE(seen.wait.deadline.has_value());
  EXPECT_GT(*seen.wait.deadline, seen.wait.since + 59min);
  EXPECT_NE(seen.dump.find(", for another 3"), std::string::npos) << seen.dump;
}

TEST(Snapshot, ShowsAQueueWithItsFill) {
  conc::Queue<int> queue(2, "jobs");
  queue.put(1);
  queue.put(2);
  const Seen put = look_at_waiter([&] { queue.put(3); }, [&] { static_cast<void>(queue.get()); });
  EXPECT_EQ(put.object.type, "Queue");
  EXPECT_EQ(put.object.name, "jobs");
  EXPECT_EQ(put.object.fill, 2U);
  EXPECT_EQ(put.object.maxsize, 2U);
  EXPECT_NE(put.dump.find("waits to put into Queue \"jobs\" (2 of 2 items) since"),
            std::string::npos)
      << put.dump;

  conc::Queue<int> empty;
  const Seen get = look_at_waiter([&] { static_cast<void>(empty.get()); }, [&] { empty.put(1); });
  EXPECT_EQ(get.object.fill, 0U);
  EXPECT_EQ(get.object.maxsize, std::nullopt);
  EXPECT_NE(get.dump.find("waits to get from Queue (0 items) since"), std::string::npos)
      << get.dump;
}

TEST(Snapshot, ShowsTheThreadThatIsJoined) {
  Event go;
  Thread target({.name = "target"}, [&] { go.wait(); });
  target.start();
  const Seen seen = look_at_waiter([&] { target.join(); }, [&] { go.set(); });
  EXPECT_EQ(seen.object.type, "Thread");
  EXPECT_EQ(seen.object.holder, target.ident());
  EXPECT_NE(seen.dump.find("waits to join Thread \"target\" ("), std::string::npos) << seen.dump;
}

TEST(Snapshot, ShowsTheThreadThatRunsTheTaskOfAFuture) {
  conc::ThreadPoolExecutor pool({.max_workers = 1, .thread_name_prefix = "cook"});
  Event go;
  const conc::Future<std::uint64_t> meal = pool.submit([&] {
    go.wait();
    return conc::get_ident();
  });
  ASSERT_TRUE(eventually_waiting(go, 1));
  const Seen seen = look_at_waiter([&] { meal.wait(); }, [&] { go.set(); });
  EXPECT_EQ(seen.object.type, "Future");
  EXPECT_EQ(seen.object.holder, meal.result());
  EXPECT_NE(seen.dump.find("waits to see done Future run by \"cook_0\" ("), std::string::npos)
      << seen.dump;
}

TEST(Snapshot, ShowsWhateverElseAThreadWaitsFor) {
  Event event("ready");
  EXPECT_EQ(look_at_waiter([&] { event.wait(); }, [&] { event.set(); }).object.type, "Event");
  conc::Semaphore semaphore(0, "seats");
  EXPECT_EQ(look_at_waiter([&] { semaphore.acquire(); }, [&] { semaphore.release(); }).object.name,
            "seats");
  conc::Barrier barrier(2);
  EXPECT_EQ(look_at_waiter([&] { static_cast<void>(barrier.wait()); },
                           [&] { static_cast<void>(barrier.wait()); })
                .object.type,
            "Barrier");
  conc::Condition condition;
  const Seen seen = look_at_waiter(
      [&] {
        condition.acquire();
        condition.wait();
        condition.release();
      },
      [&] {
        condition.acquire();
        condition.notify();
        condition.release();
      });
  EXPECT_EQ(seen.object.type, "Condition");
  EXPECT_EQ(seen.wait.action, "be notified by");
}

TEST(Snapshot, TellsAConditionFromTheLockInIt) {
  conc::Condition condition("changed");
  Thread waiter({.name = "waiter"}, [&] {
    condition.acquire();
    condition.wait();
    condition.release();
  });
  waiter.start();
  ASSERT_TRUE(eventually([] { return asleep("waiter"); }));
  condition.acquire();
  Thread acquirer({.name = "acquirer"}, [&] {
    condition.acquire();
    condition.release();
  });
  acquirer.start();
  ASSERT_TRUE(eventually([] { return asleep("acquirer"); }));
  const Snapshot seen = conc::snapshot();
  condition.notify();
  condition.release();
  ASSERT_EQ(seen.objects.size(), 2U);
  const ContendedObject& waited_for = seen.objects.at(find(seen, "waiter")->wait->object);
  EXPECT_EQ(waited_for.type, "Condition");
  EXPECT_EQ(waited_for.waiters.size(), 1U);
  const ContendedObject& acquired = seen.objects.at(find(seen, "acquirer")->wait->object);
  EXPECT_EQ(acquired.type, "RLock");
  EXPECT_EQ(acquired.holder, conc::get_ident());
  EXPECT_EQ(acquired.waiters.size(), 1U);
}

TEST(Snapshot, ListsTheWaitersOfAnObjectInOrder) {
  Lock lock("fork");
  lock.acquire();
  std::vector<std::unique_ptr<Thread>> threads;
  for (int i = 0; i < 4; ++i) {
    threads.push_back(
        std::make_unique<Thread>(conc::ThreadOptions{.name = "w" + std::to_string(i)}, [&] {
          lock.acquire();
          lock.release();
        }));
    threads.back()->start();
    ASSERT_TRUE(eventually([&] { return asleep("w" + std::to_string(i)); }));
  }
  const Snapshot seen = conc::snapshot();
  lock.release();
  for (auto& thread : threads) thread->join();
  ASSERT_EQ(seen.objects.size(), 1U);
  ASSERT_EQ(seen.objects[0].waiters.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(seen.objects[0].waiters[i], threads[i]->ident());
  }
}

TEST(Snapshot, AThreadThatRunsWaitsForNothing) {
  const Snapshot seen = conc::snapshot();
  const ThreadSnapshot* const self = find(seen, "MainThread");
  ASSERT_NE(self, nullptr);
  EXPECT_FALSE(self->wait.has_value());
  std::ostringstream dump;
  conc::dump_threads(dump, seen);
  EXPECT_NE(dump.str().find("\"MainThread\" ident=1 native_id="), std::string::npos) << dump.str();
  EXPECT_NE(dump.str().find(": runs\n"), std::string::npos) << dump.str();
}

TEST(Snapshot, AWorkerWithoutWorkIsIdle) {
  conc::ThreadPoolExecutor pool({.max_workers = 1, .thread_name_prefix = "idle"});
  pool.submit([] {}).wait();
  ASSERT_TRUE(eventually([] { return asleep("idle_0"); }));
  const Snapshot seen = conc::snapshot();
  const ThreadSnapshot* const worker = find(seen, "idle_0");
  ASSERT_TRUE(worker != nullptr && worker->wait.has_value());
  EXPECT_TRUE(worker->wait->idle);
  EXPECT_EQ(seen.objects[worker->wait->object].type, "ThreadPoolExecutor");
}

TEST(Snapshot, NothingInItBeganAfterItsTime) {
  std::atomic<bool> stop{false};
  Event never;
  std::vector<std::unique_ptr<Thread>> threads;
  for (int i = 0; i < 4; ++i) {
    threads.push_back(std::make_unique<Thread>([&] {
      while (!stop) static_cast<void>(never.wait(1us));
    }));
    threads.back()->start();
  }
  int before = 0;
  int after = 0;
  for (int i = 0; i < 2000 || before == 0; ++i) {
    const Snapshot seen = conc::snapshot();
    for (const ThreadSnapshot& thread : seen.threads) {
      if (thread.wait) ++(thread.wait->since <= seen.steady_time ? before : after);
    }
  }
  stop = true;
  for (auto& thread : threads) thread->join();
  EXPECT_EQ(after, 0);
}

// A standoff with every kind of name, and what programs that read the formats think of it.
Snapshot standoff() {
  static Lock left("left \"quoted\" \\ fork");
  static Lock right("right\n\x01\xFF");
  Event both[2];
  const auto take = [&](Lock& first, Lock& second, std::size_t i) {
    first.acquire();
    both[i].set();
    both[1 - i].wait();
    if (second.acquire(10s)) second.release();
    first.release();
  };
  Thread a({.name = "\"a\" \xC3\xA4 \x80"}, [&] { take(left, right, 0); });
  Thread b({.name = "b"}, [&] { take(right, left, 1); });
  a.start();
  b.start();
  EXPECT_TRUE(eventually_waiting(left, 1) && eventually_waiting(right, 1));
  Snapshot seen;
  EXPECT_TRUE(eventually([&] {
    seen = conc::snapshot();
    return seen.objects.size() == 2 && seen.objects[0].type == "Lock" &&
           seen.objects[1].type == "Lock";
  }));
  left.release();  // any thread may: the standoff is over
  a.join();
  return seen;
}

// Whether the program accepts the text; true as well when it is not there.
bool accepted_by(const std::string& program, const std::string& arguments,
                 const std::string& text) {
  if (std::system(("command -v " + program + " > /dev/null").c_str()) != 0) return true;
  std::FILE* const pipe = ::popen((program + ' ' + arguments + " > /dev/null").c_str(), "w");
  if (pipe == nullptr) return false;
  std::fwrite(text.data(), 1, text.size(), pipe);
  return ::pclose(pipe) == 0;
}

TEST(Snapshot, JsonIsValidWhateverTheNamesHold) {
  const std::string json = conc::to_json(standoff());
  EXPECT_EQ(json.substr(0, 13), "{\"version\":1,");
  EXPECT_TRUE(accepted_by("python3", "-m json.tool", json)) << json;
  EXPECT_NE(json.find(R"("name":"left \"quoted\" \\ fork")"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("name":"right\n\u0001\ufffd")"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("state":"waits")"), std::string::npos) << json;
}

TEST(Snapshot, NoTimeIsNegative) {
  Snapshot seen;
  seen.steady_time = std::chrono::steady_clock::time_point(10s);
  ContendedObject event;
  event.type = "Event";
  event.waiters = {2};
  seen.objects.push_back(event);
  ThreadSnapshot bill;
  bill.info.name = "Bill";
  bill.info.ident = 2;
  bill.wait = conc::ThreadWait{
      .action = "wait for", .since = seen.steady_time + 1s, .deadline = seen.steady_time - 1s};
  seen.threads.push_back(bill);
  const std::string json = conc::to_json(seen);
  EXPECT_NE(json.find(R"("seconds":0.000000,"seconds_left":0.000000)"), std::string::npos) << json;
  std::ostringstream dump;
  conc::dump_threads(dump, seen);
  EXPECT_NE(dump.str().find("since 0.000 s, for another 0.000 s"), std::string::npos) << dump.str();
}

TEST(Snapshot, DotIsValidAndShowsTheCycle) {
  const Snapshot seen = standoff();
  const std::string dot = conc::to_dot(seen);
  EXPECT_TRUE(accepted_by("dot", "-Tsvg", dot)) << dot;
  for (const ThreadSnapshot& thread : seen.threads) {
    if (!thread.wait || thread.info.main) continue;
    const std::string id = std::to_string(thread.info.ident);
    EXPECT_NE(dot.find("t" + id + " -> o"), std::string::npos) << dot;
    EXPECT_NE(dot.find(" -> t" + id + ";"), std::string::npos) << dot;
  }
}

TEST(Snapshot, IsSafeWhileAHundredThreadsComeAndGo) {
  std::atomic<bool> stop{false};
  std::thread looker([&] {
    while (!stop) {
      const Snapshot seen = conc::snapshot();
      for (const ThreadSnapshot& thread : seen.threads) {
        if (thread.wait) {
          ASSERT_LT(thread.wait->object, seen.objects.size());
        }
      }
      ASSERT_FALSE(conc::to_json(seen).empty());
    }
  });
  conc::test::together(10, [](std::size_t) {
    for (int round = 0; round < 5; ++round) {
      Lock lock("short-lived");
      Event go;
      std::vector<std::unique_ptr<Thread>> threads;
      for (int i = 0; i < 10; ++i) {
        threads.push_back(std::make_unique<Thread>([&] {
          go.wait();
          if (lock.acquire(10us)) lock.release();
        }));
        threads.back()->start();
      }
      go.set();
      for (auto& thread : threads) thread->join();
    }
  });
  stop = true;
  looker.join();
}

TEST(DumpOnSignal, RefusesWhatIsNoSignal) {
  EXPECT_THROW(conc::dump_on_signal(0), std::invalid_argument);
  EXPECT_THROW(conc::dump_on_signal(9), std::invalid_argument);
  EXPECT_THROW(conc::dump_on_signal(1000), std::invalid_argument);
}

}  // namespace

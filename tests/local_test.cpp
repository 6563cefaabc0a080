#include <conc/event.hpp>
#include <conc/local.hpp>
#include <conc/thread.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "eventually.hpp"
#include "gate.hpp"

namespace {

using conc::Event;
using conc::Local;
using conc::test::eventually;

struct Counted {
  static inline std::atomic<int> alive{0};
  Counted() { ++alive; }
  ~Counted() { --alive; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  int value = 0;
};

TEST(Local, EachThreadHasAValueOfItsOwn) {
  Local<int> local([] { return 7; });
  local.get() = 1;
  std::thread([&] {
    EXPECT_FALSE(local.has_value());
    EXPECT_EQ(*local, 7);
    *local = 2;
    EXPECT_EQ(local.get(), 2);
    EXPECT_EQ(local.size(), 2U);
  }).join();
  EXPECT_EQ(local.get(), 1);
  EXPECT_TRUE(eventually([&] { return local.size() == 1; }));
}

TEST(Local, BelongsToItsObject) {
  Local<int> a;
  Local<int> b;
  *a = 1;
  *b = 2;
  EXPECT_EQ(*a, 1);
  EXPECT_EQ(*b, 2);
  {
    Local<int> c;
    *c = 3;
  }
  Local<int> takes_the_place_of_c;
  EXPECT_FALSE(takes_the_place_of_c.has_value());
  EXPECT_EQ(*takes_the_place_of_c, 0);
}

TEST(Local, AValueGoesWithItsThread) {
  Local<Counted> local;
  static_cast<void>(local.get());
  std::thread([&] { local->value = 1; }).join();
  EXPECT_TRUE(eventually([] { return Counted::alive == 1; }));
  EXPECT_EQ(local.size(), 1U);
}

TEST(Local, AllValuesGoWithTheLocal) {
  Event go;
  std::vector<std::unique_ptr<conc::Thread>> threads;
  auto local = std::make_unique<Local<Counted>>();
  std::atomic<int> made{0};
  for (int i = 0; i < 5; ++i) {
    threads.push_back(std::make_unique<conc::Thread>([&] {
      static_cast<void>(local->get());
      ++made;
      go.wait();
    }));
    threads.back()->start();
  }
  ASSERT_TRUE(eventually([&] { return made == 5; }));
  EXPECT_EQ(Counted::alive, 5);
  local.reset();
  EXPECT_EQ(Counted::alive, 0);
  go.set();
}

TEST(Local, ResetDestroysTheCallersValueOnly) {
  Local<Counted> local;
  local.reset();
  local->value = 5;
  local.reset();
  EXPECT_EQ(Counted::alive, 0);
  EXPECT_FALSE(local.has_value());
  EXPECT_EQ(local->value, 0) << "a new one";
}

TEST(Local, AFailedValueIsTriedAgain) {
  int calls = 0;
  Local<int> local([&]() -> int {
    if (++calls == 1) throw std::runtime_error("not yet");
    return calls;
  });
  EXPECT_THROW(static_cast<void>(local.get()), std::runtime_error);
  EXPECT_FALSE(local.has_value());
  EXPECT_EQ(*local, 2);
}

TEST(Local, MakingAValueMayAskForIt) {
  Local<int>* self = nullptr;
  int depth = 0;
  Local<int> local([&] { return ++depth == 1 ? self->get() + 1 : 10; });
  self = &local;
  EXPECT_EQ(*local, 10) << "the one that was made first";
}

// A value whose destructor asks another Local, and even its own.
struct Nested {
  Local<int>* other = nullptr;
  ~Nested() {
    if (other != nullptr) ++other->get();
  }
};

TEST(Local, AValuesDestructorMayUseOthers) {
  Local<int> other;
  Local<Nested> local;
  for (int i = 0; i < 20; ++i) std::thread([&] { local->other = &other; }).join();
  EXPECT_TRUE(eventually([&] { return local.size() == 0 && other.size() == 0; }));
}

struct LateUser {
  Local<std::string>* local = nullptr;
  ~LateUser() {
    if (local != nullptr) local->get() += " and beyond";
  }
};

TEST(Local, OutlivesTheThreadsOwnObjects) {
  static Local<std::string> local([] { return std::string("to the end"); });
  for (int i = 0; i < 20; ++i) {
    std::thread([] {
      thread_local LateUser user;
      user.local = &local;
    }).join();
  }
  EXPECT_TRUE(eventually([] { return local.size() == 0; }));
}

// A value that keeps the owner of its Local.
struct Owner;
struct OwnersKey {
  std::shared_ptr<Owner> owner;
  Counted counted;
};
struct Owner {
  Local<OwnersKey> local;
  Counted counted;
};

TEST(Local, MayGoInTheDestructorOfAnEndingThreadsValue) {
  Event go;
  auto owner = std::make_shared<Owner>();
  // Some values go with their threads, and some with the Local.
  std::thread other([&go, local = &owner->local] {
    static_cast<void>(local->get());
    go.wait();
  });
  ASSERT_TRUE(eventually([&] { return owner->local.size() == 1; }));
  std::thread([owner = std::move(owner)] { owner->local->owner = owner; }).join();
  EXPECT_EQ(Counted::alive, 0);
  go.set();
  other.join();
}

TEST(Local, ThatGoesInTheDestructorOfAValueWaitsForTheOthers) {
  for (int round = 0; round < 100; ++round) {
    auto owner = std::make_shared<Owner>();
    std::atomic<int> missing{3};
    conc::test::together(3, [&, local = &owner->local](std::size_t id) {
      OwnersKey& key = local->get();
      --missing;
      while (missing != 0) std::this_thread::yield();
      if (id == 0) key.owner = std::move(owner);
    });
    ASSERT_EQ(Counted::alive, 0);
  }
}

TEST(Local, MayGoWhileThreadsEnd) {
  for (int round = 0; round < 500; ++round) {
    auto local = std::make_unique<Local<Counted>>();
    std::atomic<int> used{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        static_cast<void>(local->get());
        ++used;
      });
    }
    while (used != 3) std::this_thread::yield();
    local.reset();
    ASSERT_EQ(Counted::alive, 0);
    for (std::thread& thread : threads) thread.join();
  }
}

TEST(Local, ManyLocalsAndThreads) {
  std::vector<std::unique_ptr<Local<std::size_t>>> locals;
  for (int i = 0; i < 100; ++i) locals.push_back(std::make_unique<Local<std::size_t>>());
  conc::test::together(8, [&](std::size_t id) {
    for (int round = 0; round < 20; ++round) {
      for (auto& local : locals) local->get() += id + 1;
    }
    for (auto& local : locals) ASSERT_EQ(local->get(), 20 * (id + 1));
  });
}

}  // namespace

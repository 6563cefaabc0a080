// What a thread is reading, as those see it who would like to free it.

#include "../src/logging/hazard.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "allocations.hpp"

namespace conc::logging::detail {
namespace {

TEST(Hazard, IsMarkedUntilItIsTakenBack) {
  const int object = 0;
  const int other = 0;
  Hazard hazard;
  EXPECT_FALSE(Hazard::is_marked(&object));
  hazard.mark(&object);
  EXPECT_TRUE(Hazard::is_marked(&object));
  EXPECT_FALSE(Hazard::is_marked(&other));
  hazard.mark(&other);
  EXPECT_FALSE(Hazard::is_marked(&object));
  EXPECT_TRUE(Hazard::is_marked(&other));
  hazard.unmark();
  EXPECT_FALSE(Hazard::is_marked(&other));
}

TEST(Hazard, IsSeenFromOtherThreads) {
  const int object = 0;
  Hazard hazard;
  hazard.mark(&object);
  bool seen = false;
  std::thread([&] { seen = Hazard::is_marked(&object); }).join();
  EXPECT_TRUE(seen);
  hazard.unmark();
  std::thread([&] { seen = Hazard::is_marked(&object); }).join();
  EXPECT_FALSE(seen);
}

TEST(Hazard, TwoOfTheSameObjectAreTwo) {
  const int object = 0;
  Hazard first;
  Hazard second;
  first.mark(&object);
  second.mark(&object);
  first.unmark();
  EXPECT_TRUE(Hazard::is_marked(&object));
  second.unmark();
  EXPECT_FALSE(Hazard::is_marked(&object));
}

TEST(Hazard, OneThreadMayHaveManyAndEndThemInAnyOrder) {
  const std::vector<int> objects(50);
  std::vector<std::unique_ptr<Hazard>> hazards;
  const auto add = [&](const int& object) {
    hazards.push_back(std::make_unique<Hazard>());
    hazards.back()->mark(&object);
  };
  const auto remove = [&](std::size_t i) {
    hazards[i]->unmark();
    hazards[i].reset();
  };
  for (const int& object : objects) add(object);
  for (std::size_t i = 0; i < objects.size(); i += 2) remove(i);
  for (std::size_t i = 0; i < objects.size(); ++i) {
    EXPECT_EQ(Hazard::is_marked(&objects[i]), i % 2 != 0) << i;
  }
  for (std::size_t i = 1; i < objects.size(); i += 2) remove(i);
  for (const int& object : objects) add(object);
  for (const int& object : objects) EXPECT_TRUE(Hazard::is_marked(&object));
  for (std::size_t i = objects.size(); i < hazards.size(); ++i) remove(i);
  for (const int& object : objects) EXPECT_FALSE(Hazard::is_marked(&object));
}

TEST(Hazard, MovedOneIsMarkedStill) {
  const int object = 0;
  std::optional<Hazard> first;
  first.emplace().mark(&object);
  Hazard second(std::move(*first));
  first.reset();
  EXPECT_TRUE(Hazard::is_marked(&object));
  second.unmark();
  EXPECT_FALSE(Hazard::is_marked(&object));
}

TEST(Hazard, ThreadThatIsGoneLeavesItsMemoryToOthers) {
  const auto use_two = [] {
    const Hazard first;
    const Hazard second;
  };
  std::thread(use_two).join();
  std::size_t during = 0;
  std::thread([&] {
    const std::size_t before = test::allocations;
    use_two();
    during = test::allocations - before;
  }).join();
  EXPECT_EQ(during, 0U);
}

TEST(Hazard, FirstOneThatFindsNoMemoryThrowsAndTheNextOneWorks) {
  const int object = 0;
  std::vector<Hazard> hazards;
  hazards.reserve(10'000);
  test::allocations_left = 0;
  bool thrown = false;
  while (!thrown && hazards.size() < hazards.capacity()) {
    try {
      hazards.emplace_back();
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
  }
  test::allocations_left = -1;
  EXPECT_TRUE(thrown);
  Hazard next;
  next.mark(&object);
  EXPECT_TRUE(Hazard::is_marked(&object));
  next.unmark();
}

// Is destroyed after what the thread made at its first Hazard, since it was made before that.
struct MarksLate {
  const int* object;
  bool* seen;
  ~MarksLate() {
    const std::size_t before = test::allocations;
    for (int i = 0; i < 3; ++i) {
      Hazard hazard;
      hazard.mark(object);
      *seen = Hazard::is_marked(object);
      hazard.unmark();
    }
    EXPECT_EQ(test::allocations, before);
  }
};

TEST(Hazard, WorksAtTheVeryEndOfAThread) {
  static const int object = 0;
  static bool seen = false;
  std::thread([] {
    thread_local MarksLate late{&object, &seen};
    static_cast<void>(late.object);
    const Hazard first;
  }).join();
  EXPECT_TRUE(seen);
  EXPECT_FALSE(Hazard::is_marked(&object));
}

}  // namespace
}  // namespace conc::logging::detail

// What the queues do with memory: nothing in steady state, and nothing wrong when there is none.
#include <conc/lifo_queue.hpp>
#include <conc/priority_queue.hpp>
#include <conc/queue.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "eventually.hpp"
#include "gate.hpp"

namespace {

std::atomic<std::int64_t> allocations = 0;
std::atomic<std::int64_t> bytes = 0;  // in use
thread_local std::int64_t allocations_left =
    -1;  // of this thread, until one fails; negative: all succeed

void* allocate(std::size_t size, std::size_t alignment) {
  if (allocations_left >= 0 && allocations_left-- == 0) throw std::bad_alloc();
  allocations.fetch_add(1, std::memory_order_relaxed);
  bytes.fetch_add(static_cast<std::int64_t>(size), std::memory_order_relaxed);
  // The size lies before the memory.
  const std::size_t rounded = (size + 2 * alignment - 1) / alignment * alignment;
  auto* const memory = static_cast<std::byte*>(std::aligned_alloc(alignment, rounded));
  if (memory == nullptr) throw std::bad_alloc();
  std::memcpy(memory, &size, sizeof size);
  return memory + alignment;
}

void deallocate(void* memory, std::size_t alignment) noexcept {
  if (memory == nullptr) return;
  std::byte* const start = static_cast<std::byte*>(memory) - alignment;
  std::size_t size = 0;
  std::memcpy(&size, start, sizeof size);
  bytes.fetch_sub(static_cast<std::int64_t>(size), std::memory_order_relaxed);
  std::free(start);
}

}  // namespace

#if defined(__GNUC__)
#define CONC_TEST_NOINLINE [[gnu::noinline]]
#else
#define CONC_TEST_NOINLINE
#endif

CONC_TEST_NOINLINE void* operator new(std::size_t size) {
  return allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
CONC_TEST_NOINLINE void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
CONC_TEST_NOINLINE void operator delete(void* memory) noexcept {
  deallocate(memory, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
CONC_TEST_NOINLINE void operator delete(void* memory, std::size_t) noexcept {
  deallocate(memory, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
CONC_TEST_NOINLINE void operator delete(void* memory, std::align_val_t alignment) noexcept {
  deallocate(memory, static_cast<std::size_t>(alignment));
}
CONC_TEST_NOINLINE void operator delete(void* memory, std::size_t,
                                        std::align_val_t alignment) noexcept {
  deallocate(memory, static_cast<std::size_t>(alignment));
}

namespace {

// Has a destructor of its own, so it lies in a cell, as a string does not.
struct Named {
  std::string name;
  bool operator==(const Named&) const = default;
  bool operator<(const Named& other) const { return name < other.name; }
};

template <class T>
T item(int i) {
  if constexpr (std::is_same_v<T, std::string>) {
    return std::string(32, static_cast<char>('a' + i % 26));
  } else if constexpr (std::is_same_v<T, Named>) {
    return {item<std::string>(i)};
  } else {
    return T{i};
  }
}

struct alignas(64) Wide {
  int value;
  bool operator==(const Wide& other) const { return value == other.value; }
  bool operator<(const Wide& other) const { return value < other.value; }
};

template <class Queue>
class QueueMemory : public testing::Test {};
using Queues = testing::Types<conc::Queue<int>, conc::Queue<std::string>, conc::Queue<Named>,
                              conc::Queue<Wide>, conc::LifoQueue<int>, conc::LifoQueue<std::string>,
                              conc::LifoQueue<Named>, conc::PriorityQueue<int>,
                              conc::PriorityQueue<std::string>, conc::PriorityQueue<Named>,
                              conc::PriorityQueue<Wide>>;
TYPED_TEST_SUITE(QueueMemory, Queues);

TYPED_TEST(QueueMemory, AFailingAllocationLeavesTheItemAndTheQueueAsTheyWere) {
  using T = typename TypeParam::value_type;
  static_cast<void>(conc::Queue<int>().join(conc::at_once));
  for (const std::size_t maxsize : {0U, 300U}) {
    TypeParam queue(maxsize);
    int failures = 0;
    for (int i = 0; i < 300; ++i) {
      T moved = item<T>(i);
      for (int k = 0;; ++k) {
        allocations_left = k;
        bool failed = false;
        try {
          queue.put(std::move(moved));
        } catch (const std::bad_alloc&) {
          failed = true;
        }
        allocations_left = -1;
        if (!failed) break;
        ++failures;
        ASSERT_EQ(moved, item<T>(i));
        ASSERT_EQ(queue.size(), static_cast<std::size_t>(i));
      }
    }
    EXPECT_GT(failures, 3) << "it grew more often than that";
    EXPECT_EQ(queue.size(), 300U);
    for (int k = 0;; ++k) {
      allocations_left = k;
      bool failed = false;
      try {
        EXPECT_EQ(queue.get_many(100).size(), 100U);
      } catch (const std::bad_alloc&) {
        failed = true;
      }
      allocations_left = -1;
      if (!failed) break;
      ASSERT_EQ(queue.size(), 300U);
    }
    EXPECT_EQ(queue.get_many(1000).size(), 200U);
  }
}

TYPED_TEST(QueueMemory, PutManyThatRunsOutOfMemorySaysHowFarItCame) {
  using T = typename TypeParam::value_type;
  for (int k = 0; k < 12; ++k) {
    TypeParam queue;
    std::vector<T> items;
    for (int i = 0; i < 100; ++i) items.push_back(item<T>(i));
    std::size_t done = 0;
    allocations_left = k;
    try {
      done = queue.put_many(items);
    } catch (const std::bad_alloc&) {
    }
    allocations_left = -1;
    EXPECT_EQ(queue.size(), done);
    for (std::size_t i = done; i < items.size(); ++i) {
      ASSERT_EQ(items[i], item<T>(static_cast<int>(i)));
    }
  }
}

// A thread's first contact with the library makes its record, so a call that has to wait may run
// out of memory as well. The records of threads that have ended are used again: those that are
// tried here stay alive until one needs a new record.
TYPED_TEST(QueueMemory, AWaitThatRunsOutOfMemoryThrowsAndChangesNothing) {
  using T = typename TypeParam::value_type;
  using namespace std::chrono_literals;
  TypeParam full(1);
  full.put(item<T>(1));
  TypeParam empty;
  T moved = item<T>(2);
  const auto eventually_fails = [](auto call) {
    std::atomic<bool> over = false;
    std::atomic<bool> failed = false;
    std::atomic<int> tried = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 500 && !failed; ++i) {
      const int before = tried;
      threads.emplace_back([&] {
        allocations_left = 0;
        try {
          call();
        } catch (const std::bad_alloc&) {
          failed = true;
        }
        allocations_left = -1;
        ++tried;
        tried.notify_one();
        over.wait(false);
      });
      tried.wait(before);
    }
    over = true;
    over.notify_all();
    for (std::thread& thread : threads) thread.join();
    return failed.load();
  };
  EXPECT_TRUE(eventually_fails([&] { EXPECT_FALSE(full.try_put(std::move(moved), 1us)); }));
  EXPECT_EQ(moved, item<T>(2));
  EXPECT_TRUE(eventually_fails([&] { EXPECT_FALSE(empty.try_get(1us).has_value()); }));
  EXPECT_TRUE(eventually_fails([&] { EXPECT_FALSE(full.join(1us)); }));
  EXPECT_TRUE(eventually_fails([&] { EXPECT_FALSE(empty.wait_not_empty(1us)); }));
  EXPECT_EQ(full.size(), 1U);
  EXPECT_TRUE(empty.empty());
  EXPECT_EQ(conc::test::waiters(full) + conc::test::waiters(empty), 0U);
  EXPECT_EQ(full.get(), item<T>(1));
}

TYPED_TEST(QueueMemory, NothingIsAllocatedInSteadyState) {
  using T = typename TypeParam::value_type;
  TypeParam queue;
  T moving = item<T>(1);
  for (int i = 0; i < 40; ++i) queue.put(item<T>(i));
  const std::int64_t before = allocations;
  for (int i = 0; i < 10'000; ++i) {
    queue.put(std::move(moving));
    moving = queue.get();
  }
  EXPECT_EQ(allocations - before, 0);
}

TEST(QueueMemoryOf, OneThreadsItemsAreReusedByAnother) {
  conc::Queue<Named> queue(16);
  constexpr int count = 20'000;
  for (int round = 0; round < 10; ++round) {
    const std::int64_t before = allocations;
    conc::test::together(2, [&](std::size_t i) {
      for (int k = 0; k < count; ++k)
        i == 0 ? queue.put({"short"}) : static_cast<void>(queue.get());
    });
    EXPECT_LT(allocations - before, 40) << "for " << count << " items";
  }
}

template <class Queue>
void print(const char* name) {
  using T = typename Queue::value_type;
  constexpr int count = 1 << 14;
  const std::int64_t before = bytes;
  Queue queue;
  const std::int64_t empty = bytes - before;
  for (int i = 0; i < count; ++i) queue.put(T());
  std::cout << name << ": empty " << sizeof(Queue) << " bytes and " << empty << " allocated; "
            << static_cast<double>(bytes - before) / count << " bytes an item of " << sizeof(T)
            << " when it has just grown full\n";
  EXPECT_EQ(empty, 0);
}

TEST(QueueMemoryOf, AnEmptyQueueIsItsObjectAlone) {
  print<conc::Queue<std::int64_t>>("Queue<int64>");
  print<conc::Queue<std::string>>("Queue<string>");
  print<conc::Queue<Named>>("Queue<struct of a string>");
  print<conc::LifoQueue<std::int64_t>>("LifoQueue<int64>");
  print<conc::PriorityQueue<std::int64_t>>("PriorityQueue<int64>");
}

}  // namespace

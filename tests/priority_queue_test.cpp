// The order of a PriorityQueue; what it has in common with the other queues is tested in
// queue_test.cpp.
#include <conc/priority_queue.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using conc::PriorityQueue;

// By rank only, so that items of one rank are told apart.
struct Job {
  int rank;
  int number;
  bool operator==(const Job&) const = default;
};
struct ByRank {
  bool operator()(const Job& one, const Job& other) const { return one.rank < other.rank; }
};

TEST(PriorityQueue, SmallestFirst) {
  PriorityQueue<std::pair<int, std::string>> queue;
  queue.put({3, "c"});
  queue.put({1, "b"});
  queue.put({1, "a"});
  queue.put({2, "x"});
  EXPECT_EQ(queue.get().second, "a");
  EXPECT_EQ(queue.get().second, "b");
  EXPECT_EQ(queue.get().second, "x");
  EXPECT_EQ(queue.get().second, "c");
}

TEST(PriorityQueue, GreaterPutsTheGreatestFirst) {
  PriorityQueue<int, std::greater<int>> queue;
  for (const int i : {2, 9, 4}) queue.put(i);
  EXPECT_EQ(queue.get_many(3), (std::vector{9, 4, 2}));
}

struct ByRankWithoutThrowing {
  bool operator()(const Job& one, const Job& other) const noexcept { return one.rank < other.rank; }
};

// Those that may throw choose the next item before anything moves, the others while it moves.
template <class Compare>
class PriorityQueueBy : public ::testing::Test {};
using Comparators = ::testing::Types<ByRank, ByRankWithoutThrowing>;
TYPED_TEST_SUITE(PriorityQueueBy, Comparators);

TYPED_TEST(PriorityQueueBy, AnyComparatorFirstInFirstOutAmongEquals) {
  std::mt19937 random(1);
  PriorityQueue<Job, TypeParam> queue;
  for (int round = 0; round < 100; ++round) {
    std::vector<Job> jobs(random() % 300);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      jobs[i] = {static_cast<int>(random() % 8), static_cast<int>(i)};
      queue.put(jobs[i]);
    }
    std::ranges::stable_sort(jobs, ByRank());
    for (const Job& job : jobs) ASSERT_EQ(queue.get(), job);
  }
}

TYPED_TEST(PriorityQueueBy, AnyComparatorStaysInOrderWhilePutsAndGetsMix) {
  std::mt19937 random(2);
  PriorityQueue<Job, TypeParam> queue;
  std::multiset<std::pair<int, int>> model;
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 2 == 0 || model.empty()) {
      const Job job{static_cast<int>(random() % 1000), i};
      queue.put(job);
      model.emplace(job.rank, job.number);
    } else {
      const Job job = queue.get();
      ASSERT_EQ(std::pair(job.rank, job.number), *model.begin());
      model.erase(model.begin());
    }
  }
}

TEST(PriorityQueue, StaysInOrderWhilePutsAndGetsMix) {
  std::mt19937 random(2);
  const auto less = [](const std::unique_ptr<int>& one,
                       const std::unique_ptr<int>& other) noexcept { return *one < *other; };
  PriorityQueue<std::unique_ptr<int>, decltype(less)> queue(0, less);
  PriorityQueue<int> numbers;
  std::multiset<int> model;
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 2 == 0 || model.empty()) {
      const int value = static_cast<int>(random() % 1000);
      queue.put(std::make_unique<int>(value));
      numbers.put(value);
      model.insert(value);
    } else {
      ASSERT_EQ(*queue.get(), *model.begin());
      ASSERT_EQ(numbers.get(), *model.begin());
      model.erase(model.begin());
    }
  }
}

// Throws at the comparison that the fuse says.
struct Fuse {
  int* left;
  bool operator()(const Job& one, const Job& other) const {
    if (*left >= 0 && (*left)-- == 0) throw std::runtime_error("no order");
    return one.rank < other.rank;
  }
};

// As a job, but with memory of its own, so that it lies in a cell and not in the queue's slots.
struct Order {
  int rank;
  std::string text;
};
struct FuseOfOrders {
  int* left;
  bool operator()(const Order& one, const Order& other) const {
    if (*left >= 0 && (*left)-- == 0) throw std::runtime_error("no order");
    return one.rank < other.rank;
  }
};

TEST(PriorityQueue, AComparatorThatThrowsLosesNoItemThatOwnsMemory) {
  int fuse = -1;
  PriorityQueue<Order, FuseOfOrders> queue(0, FuseOfOrders{&fuse});
  for (int i = 0; i < 50; ++i) {
    Order order{i * 7 % 50, std::string(40, 'x')};
    for (int k = 0;; ++k) {
      fuse = k;
      try {
        queue.put(std::move(order));
        break;
      } catch (const std::runtime_error&) {
        ASSERT_EQ(order.text.size(), 40U) << "the item is still the caller's";
        ASSERT_EQ(queue.size(), static_cast<std::size_t>(i));
      }
    }
  }
  // One comparison fails in the middle: what was taken before is returned, the rest stays.
  std::vector<int> ranks;
  int failures = 0;
  for (int k = 0; !queue.empty(); ++k) {
    fuse = k % 60;
    const std::size_t before = queue.size();
    std::size_t got = 0;
    try {
      for (const Order& order : queue.get_many(20)) {
        ranks.push_back(order.rank);
        EXPECT_EQ(order.text.size(), 40U);
        ++got;
      }
    } catch (const std::runtime_error&) {
      ++failures;
    }
    ASSERT_EQ(queue.size(), before - got);
  }
  EXPECT_GT(failures, 0);
  EXPECT_EQ(ranks.size(), 50U);
  EXPECT_TRUE(std::ranges::is_sorted(ranks));
}

TEST(PriorityQueue, AComparatorThatThrowsChangesNothing) {
  int fuse = -1;
  PriorityQueue<Job, Fuse> queue(0, Fuse{&fuse});
  std::mt19937 random(3);
  std::vector<Job> jobs;
  for (int i = 0; i < 200; ++i) {
    jobs.push_back({static_cast<int>(random() % 20), i});
    for (int k = 0;; ++k) {
      fuse = k;
      try {
        queue.put(jobs.back());
        break;
      } catch (const std::runtime_error&) {
        ASSERT_EQ(queue.size(), static_cast<std::size_t>(i));
      }
    }
  }
  std::ranges::stable_sort(jobs, ByRank());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    for (int k = 0;; ++k) {
      fuse = k;
      try {
        ASSERT_EQ(queue.get(), jobs[i]);
        break;
      } catch (const std::runtime_error&) {
        ASSERT_EQ(queue.size(), jobs.size() - i);
      }
    }
  }
}

}  // namespace

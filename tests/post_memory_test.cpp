// The memory of posted calls: where it comes from, and that it goes round.
#include <conc/detail/job.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "allocations.hpp"

namespace {

using conc::detail::PostMemory;

constexpr std::size_t sizes[] = {8, PostMemory::small, PostMemory::small + 1, PostMemory::large};

template <class F>
void in_thread(F&& f) {
  std::thread(f).join();
}

std::vector<void*> allocate_all(std::size_t n, std::size_t size) {
  std::vector<void*> all(n);
  for (void*& memory : all) {
    memory = PostMemory::allocate(size);
    std::memset(memory, 0xA5, size);
  }
  return all;
}

void free_all(const std::vector<void*>& all, std::size_t size) {
  for (void* const memory : all) PostMemory::free(memory, size);
}

// How many allocations `f` makes in its tenth round.
template <class F>
std::size_t allocations_of(F&& f) {
  std::size_t last = 0;
  for (int round = 0; round < 10; ++round) {
    const std::size_t before = conc::test::allocations.load();
    f();
    last = conc::test::allocations.load() - before;
  }
  return last;
}

TEST(PostMemory, IsAlignedAndNobodyElses) {
  for (const std::size_t size : sizes) {
    const std::vector<void*> all = allocate_all(1000, size);
    for (std::size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(all[i]) % alignof(std::max_align_t), 0U);
      std::memset(all[i], static_cast<int>(i % 251), size);
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      for (std::size_t at = 0; at < size; ++at) {
        ASSERT_EQ(static_cast<unsigned char*>(all[i])[at], i % 251);
      }
    }
    free_all(all, size);
  }
}

TEST(PostMemory, IsUsedAgainByTheThreadThatFreesIt) {
  for (const std::size_t size : sizes) {
    EXPECT_EQ(allocations_of([size] {
                for (int i = 0; i < 10'000; ++i) PostMemory::free(PostMemory::allocate(size), size);
              }),
              0U);
  }
}

TEST(PostMemory, IsUsedAgainWhicheverThreadFreesIt) {
  for (const std::size_t size : sizes) {
    const std::size_t without = allocations_of([] { in_thread([] {}); });
    std::vector<void*> all;
    all.reserve(5000);
    EXPECT_EQ(allocations_of([&] {
                while (all.size() != all.capacity()) all.push_back(PostMemory::allocate(size));
                in_thread([&] { free_all(all, size); });
                all.clear();
              }),
              without);
  }
}

TEST(PostMemory, AThreadThatEndsGivesBackWhatItHas) {
  for (const std::size_t size : sizes) {
    const std::size_t without = allocations_of([] { in_thread([] {}); });
    void* kept = nullptr;
    EXPECT_EQ(allocations_of([&] {
                in_thread([&] {
                  for (int i = 0; i < 5; ++i) PostMemory::free(PostMemory::allocate(size), size);
                  if (kept != nullptr) PostMemory::free(kept, size);
                  kept = PostMemory::allocate(size);
                });
              }),
              without);
    PostMemory::free(kept, size);
  }
}

// Is destroyed after the thread's caches were given back, having been made before them.
struct LateCaller {
  std::size_t size = 0;
  void* kept = nullptr;
  ~LateCaller() {
    if (size == 0) return;
    PostMemory::free(kept, size);
    const std::vector<void*> all = allocate_all(100, size);
    free_all(all, size);
  }
};
thread_local LateCaller late_caller;

TEST(PostMemory, MayBeAskedForWhenTheThreadsCachesAreGone) {
  for (const std::size_t size : sizes) {
    const auto round = [size] {
      in_thread([size] {
        late_caller.size = size;
        late_caller.kept = PostMemory::allocate(size);
      });
    };
    const std::size_t without = allocations_of([] { in_thread([] {}); });
    EXPECT_LE(allocations_of(round), without + 1) << "but for the vector";
  }
}

}  // namespace

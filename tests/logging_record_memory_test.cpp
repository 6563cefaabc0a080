// Records that one thread makes and another destroys.

#include <conc/logging/record.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "allocations.hpp"
#include "sanitizers.hpp"

namespace conc::logging {
namespace {

std::vector<OwnedRecord> copies_of(const LogRecord& record, std::size_t n) {
  std::vector<OwnedRecord> copies;
  copies.reserve(n);
  for (std::size_t i = 0; i < n; ++i) copies.push_back(record.own());
  return copies;
}

TEST(RecordMemory, RecordsOfAnyLengthAreWhole) {
  std::vector<OwnedRecord> records;
  for (std::size_t length = 0; length < 1'000; ++length) {
    const std::string message(length, static_cast<char>('a' + length % 26));
    records.push_back(LogRecord{.name = "n", .message = message}.own());
    if (length % 3 == 0) records.push_back(records.back().record().own());
  }
  std::size_t at = 0;
  for (std::size_t length = 0; length < 1'000; ++length) {
    const std::string message(length, static_cast<char>('a' + length % 26));
    for (int i = 0; i < (length % 3 == 0 ? 2 : 1); ++i, ++at) {
      EXPECT_EQ(records[at].record().message, message);
      EXPECT_EQ(records[at].record().name, "n");
    }
  }
}

#if !CONC_TEST_ASAN

TEST(RecordMemory, IsUsedAgainWhenAnotherThreadDestroysTheRecords) {
  const LogRecord record{.message = "one of many"};
  const auto round = [&](std::size_t n) {
    std::optional<std::vector<OwnedRecord>> records = copies_of(record, n);
    std::thread([&] { records.reset(); }).join();
  };
  // As many as one thread keeps at hand, and many more than that.
  for (const std::size_t n : {10U, 500U}) {
    round(n);
    round(n);
    const std::size_t before = test::allocations;
    round(0);
    const std::size_t without_records = test::allocations - before;
    round(n);
    // What a thread has left at its end, less than a bundle, it does not pass on.
    EXPECT_LT(test::allocations - before - 2 * without_records, 32U) << n;
  }
}

TEST(RecordMemory, OfAGreatCrowdIsGivenBack) {
  // More than is kept for later: the program has the rest for other things.
  const LogRecord record{.message = "one of many"};
  const auto burst = [&] {
    const std::size_t before = test::allocations;
    const auto records = copies_of(record, 10'000);
    return test::allocations - before;
  };
  burst();
  EXPECT_GT(burst(), 8'000U);
}

#endif

TEST(RecordMemory, NoMemoryThrowsAndLosesNothing) {
  const std::string text(1'000, 'x');
  const LogRecord small{.message = "small"};
  const LogRecord large{.message = text};
  for (const LogRecord* record : {&small, &large}) {
    std::vector<OwnedRecord> records;
    records.reserve(5'000);
    test::allocations_left = 3;
    bool thrown = false;
    while (!thrown && records.size() < records.capacity()) {
      try {
        records.push_back(record->own());
      } catch (const std::bad_alloc&) {
        thrown = true;
      }
    }
    test::allocations_left = -1;
    EXPECT_TRUE(thrown);
    records.push_back(record->own());
    for (const OwnedRecord& one : records) EXPECT_EQ(one.record().message, record->message);
  }
}

// Is destroyed after what the thread made at its first record, since it was made before that.
struct HasRecords {
  std::vector<OwnedRecord> records;
  ~HasRecords() {
    const auto more = copies_of(records.front().record(), 100);
    EXPECT_EQ(more.back().record().message, "late");
  }
};

TEST(RecordMemory, ServesAtTheVeryEndOfAThread) {
  std::thread([] {
    thread_local HasRecords late;
    late.records = copies_of({.message = "late"}, 100);
  }).join();
}

}  // namespace
}  // namespace conc::logging

#include <conc/errors.hpp>
#include <conc/event.hpp>
#include <conc/inline_executor.hpp>
#include <conc/map_range.hpp>
#include <conc/queue.hpp>
#include <conc/thread_pool_executor.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <forward_list>
#include <iterator>
#include <list>
#include <memory>
#include <numeric>
#include <optional>
#include <ranges>
#include <sstream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "eventually.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Event;
using conc::InlineExecutor;
using conc::MapOptions;
using conc::ThreadPoolExecutor;
using conc::test::eventually;

// ---- What it yields

TEST(MapRange, YieldsTheResultsInOrder) {
  ThreadPoolExecutor pool(3);
  std::vector<int> numbers(200);
  std::iota(numbers.begin(), numbers.end(), 0);
  for (const MapOptions& options :
       {MapOptions{}, MapOptions{.buffersize = 3}, MapOptions{.chunksize = 7},
        MapOptions{.buffersize = 2, .chunksize = 64}}) {
    int expected = 0;
    for (const int square : pool.map(
             options, [](int i) { return i * i; }, numbers)) {
      EXPECT_EQ(square, expected * expected);
      ++expected;
    }
    EXPECT_EQ(expected, 200);
  }
}

TEST(MapRange, GoesUpToTheEndOfTheShortestRange) {
  ThreadPoolExecutor pool(2);
  std::vector<std::string> got;
  for (auto& text :
       pool.map([](int n, char c) { return std::string(static_cast<std::size_t>(n), c); },
                std::vector{1, 2, 3}, std::string("ab"))) {
    got.push_back(std::move(text));
  }
  EXPECT_EQ(got, (std::vector<std::string>{"a", "bb"}));
}

TEST(MapRange, YieldsReferencesAndNothingAndWhatCannotBeCopied) {
  InlineExecutor here;
  int target = 0;
  for (const std::size_t chunk : {1U, 2U}) {
    for (int& x : here.map(
             {.chunksize = chunk}, [&target](int) -> int& { return target; },
             std::vector{1, 2, 3})) {
      ++x;
    }
    std::size_t seen = 0;
    for ([[maybe_unused]] const auto nothing : here.map(
             {.chunksize = chunk}, [](int) {}, std::vector{1, 2, 3})) {
      ++seen;
    }
    EXPECT_EQ(seen, 3U);
    for (auto& p : here.map(
             {.chunksize = chunk}, [](int i) { return std::make_unique<int>(i); },
             std::vector{5})) {
      const std::unique_ptr<int> mine = std::move(p);
      EXPECT_EQ(*mine, 5);
    }
    bool last = false;
    for (const bool b : here.map(
             {.chunksize = chunk}, [](int i) { return i == 3; }, std::vector{1, 2, 3})) {
      last = b;
    }
    EXPECT_TRUE(last);
  }
  EXPECT_EQ(target, 6);
}

TEST(MapRange, WithABufferSubmitsNoFurtherAhead) {
  InlineExecutor here;
  int called = 0;
  auto range = here.map(
      {.buffersize = 2}, [&called](int i) { return ++called, i; }, std::vector{1, 2, 3, 4});
  EXPECT_EQ(called, 2);
  auto it = range.begin();
  EXPECT_EQ(*it, 1);
  ++it;
  EXPECT_EQ(called, 3);
}

TEST(MapRange, RefusesABufferOrAChunkOfNothing) {
  InlineExecutor here;
  const std::vector<int> numbers{1};
  const auto same = [](int i) { return i; };
  EXPECT_THROW(static_cast<void>(here.map({.buffersize = 0}, same, numbers)),
               std::invalid_argument);
  EXPECT_THROW(static_cast<void>(here.map({.chunksize = 0}, same, numbers)), std::invalid_argument);
}

TEST(MapRange, LeavingItEarlyCancelsTheRestAndNotLookingCancelsNothing) {
  for (const bool look : {true, false}) {
    ThreadPoolExecutor pool(1);
    std::atomic<int> ran = 0;
    Event open;
    {
      const auto call = [&](int i) {
        if (i == 1) open.wait();
        ++ran;
      };
      auto range = pool.map(call, std::vector{0, 1, 2, 3});
      if (look) {
        static_cast<void>(range.begin());
        EXPECT_TRUE(eventually([&] { return pool.stats().queued == 2; }));
      }
    }
    open.set();
    pool.shutdown();
    EXPECT_EQ(ran, look ? 2 : 4);
  }
}

TEST(MapRange, ThrowsWhatACallThrewWhereItsResultWouldBe) {
  ThreadPoolExecutor pool(1);
  std::vector<int> got;
  EXPECT_THROW(
      {
        for (const int i : pool.map(
                 [](int n) {
                   if (n == 2) throw std::out_of_range("two");
                   return n;
                 },
                 std::vector{0, 1, 2, 3})) {
          got.push_back(i);
        }
      },
      std::out_of_range);
  EXPECT_EQ(got, (std::vector{0, 1}));
}

TEST(MapRange, MeasuresItsTimeoutFromTheCall) {
  Event open;
  ThreadPoolExecutor pool(1);
  {
    const auto begin = std::chrono::steady_clock::now();
    auto range = pool.map(
        {.timeout = 10ms}, [&open](int) { open.wait(); }, std::vector{1});
    EXPECT_THROW(static_cast<void>(range.begin()), conc::TimeoutError);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 10ms);
  }
  open.set();
}

// ---- Ranges of every kind

// One after the other, as from a file, and without a size.
struct Numbers {
  std::istream& from;
  [[nodiscard]] auto begin() const { return std::istream_iterator<int>(from); }
  [[nodiscard]] auto end() const { return std::istream_iterator<int>(); }
};

TEST(MapRange, TakesRangesOfEveryKind) {
  ThreadPoolExecutor pool(2);
  const auto twice = [](int n) { return 2 * n; };
  for (const MapOptions& options :
       {MapOptions{}, MapOptions{.chunksize = 2}, MapOptions{.buffersize = 2, .chunksize = 2}}) {
    const auto check = [&](auto&& range) {
      std::vector<int> got;
      for (const int n : pool.map(options, twice, std::forward<decltype(range)>(range))) {
        got.push_back(n);
      }
      EXPECT_EQ(got, (std::vector{2, 4, 6, 8, 10}));
    };
    check(std::list{1, 2, 3, 4, 5});
    check(std::forward_list{1, 2, 3, 4, 5});
    const int array[] = {1, 2, 3, 4, 5};
    check(array);
    std::istringstream text("1 2 3 4 5");
    check(Numbers{text});
    check(std::vector<short>{1, 2, 3, 4, 5});
  }
}

TEST(MapRange, OfNothingIsAtItsEnd) {
  InlineExecutor here;
  for (const std::size_t chunk : {1U, 8U}) {
    auto range = here.map(
        {.chunksize = chunk}, [](int n) { return n; }, std::vector<int>());
    EXPECT_TRUE(range.begin() == range.end());
  }
}

TEST(MapRange, ZipsRangesOfDifferentKindsInChunks) {
  ThreadPoolExecutor pool(2);
  std::vector<std::string> got;
  for (const std::string& text : pool.map(
           {.chunksize = 2}, [](int n, std::string s, char c) { return std::to_string(n) + s + c; },
           std::list{1, 2, 3, 4}, std::vector<std::string>{"a", "b", "c"}, std::string("xyz!"))) {
    got.push_back(text);
  }
  EXPECT_EQ(got, (std::vector<std::string>{"1ax", "2by", "3cz"}));
}

TEST(MapRange, IsAnInputRange) {
  InlineExecutor here;
  auto range = here.map([](int n) { return n; }, std::vector{1, 2, 3});
  static_assert(std::ranges::input_range<decltype(range)>);
  std::vector<int> got;
  std::ranges::copy(range, std::back_inserter(got));
  EXPECT_EQ(got, (std::vector{1, 2, 3}));
}

// clang 15 and older cannot compile the views of libstdc++.
#if !defined(__clang__) || __clang_major__ >= 16
TEST(MapRange, WithANameIsTheBeginningOfAPipeline) {
  InlineExecutor here;
  auto range = here.map([](int n) { return n; }, std::vector{1, 2, 3});
  std::vector<int> got;
  for (const int n : range | std::views::transform([](int x) { return 2 * x; })) got.push_back(n);
  EXPECT_EQ(got, (std::vector{2, 4, 6}));
}
#endif

TEST(MapRange, MayBeGoneThroughOnce) {
  InlineExecutor here;
  auto range = here.map([](int n) { return n; }, std::vector{1, 2});
  static_cast<void>(range.begin());
  EXPECT_THROW(static_cast<void>(range.begin()), conc::UsageError);
}

// Counts those that live.
struct Counted {
  static inline std::atomic<int> alive = 0;
  int value;
  explicit Counted(int v) : value(v) { ++alive; }
  Counted(const Counted& other) : value(other.value) { ++alive; }
  Counted(Counted&& other) noexcept : value(other.value) { ++alive; }
  ~Counted() { --alive; }
};

TEST(MapRange, DestroysEachValueAndEachResultOnce) {
  ThreadPoolExecutor pool(2);
  const std::vector<Counted> values = [] {
    std::vector<Counted> all;
    for (int i = 0; i < 20; ++i) all.emplace_back(i);
    return all;
  }();
  for (const std::size_t chunk : {1U, 3U}) {
    for (const int fails_at : {-1, 0, 4, 19}) {
      int seen = 0;
      try {
        for (const Counted& result : pool.map(
                 {.chunksize = chunk},
                 [fails_at](const Counted& x) {
                   if (x.value == fails_at) throw std::out_of_range("there");
                   return Counted(x.value + 1);
                 },
                 values)) {
          EXPECT_EQ(result.value, ++seen);
        }
      } catch (const std::out_of_range&) {
        EXPECT_EQ(seen, fails_at);
      }
      EXPECT_TRUE(
          eventually([&values] { return Counted::alive == static_cast<int>(values.size()); }));
    }
  }
}

TEST(MapRange, CopiesTheValuesBeforeItReturns) {
  for (const std::size_t chunk : {1U, 2U}) {
    ThreadPoolExecutor pool(1);
    Event open;
    std::vector<std::string> got(4);
    {
      auto words = std::make_unique<std::vector<std::string>>(
          std::vector<std::string>{"a long word that needs memory of its own", "b", "c", "d"});
      std::vector<int> places{0, 1, 2, 3};
      const auto call = [&](int place, const std::string& word) {
        open.wait();
        got[static_cast<std::size_t>(place)] = word;
      };
      [[maybe_unused]] const auto nobody_looks =
          pool.map({.chunksize = chunk}, call, places, *words);
      for (std::string& word : *words) word = "changed";
    }
    open.set();
    pool.shutdown();
    EXPECT_EQ(
        got, (std::vector<std::string>{"a long word that needs memory of its own", "b", "c", "d"}));
  }
}

// ---- When it looks at the ranges

// 1, 2, up to `count`: each is made when it is asked for.
struct Supply {
  int count;
  int asked = 0;      // for a value, the last time in vain
  int ends_seen = 0;  // how often it was looked at beyond its end

  class Iterator {
   public:
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(Supply& supply) : supply_(&supply) { ++*this; }
    int operator*() const { return supply_->asked; }
    Iterator& operator++() {
      ++supply_->asked;
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) {
      if (it.supply_->asked <= it.supply_->count) return false;
      ++it.supply_->ends_seen;
      return true;
    }

   private:
    Supply* supply_;
  };
  Iterator begin() { return Iterator(*this); }
  static std::default_sentinel_t end() { return {}; }
};

TEST(MapRange, SubmitsACallBeforeItAsksForTheNextValue) {
  InlineExecutor here;
  for (const MapOptions& options : {MapOptions{}, MapOptions{.buffersize = 2}}) {
    Supply supply{3};
    std::vector<int> asked;
    for ([[maybe_unused]] const auto nothing : here.map(
             options, [&](int) { asked.push_back(supply.asked); }, supply)) {
    }
    EXPECT_EQ(asked, (std::vector{1, 2, 3}));
  }
}

TEST(MapRange, ACallMayMakeTheNextValue) {
  conc::Queue<int> numbers;
  ThreadPoolExecutor pool(1);
  numbers.put(3);
  const auto call = [&numbers](int n) {
    if (n == 0) {
      numbers.shutdown();
    } else {
      numbers.put(n - 1);
    }
    return n;
  };
  std::vector<int> got;
  for (const int n : pool.map(call, numbers)) got.push_back(n);
  EXPECT_EQ(got, (std::vector{3, 2, 1, 0}));
}

TEST(MapRange, AsksTheRangesInTurnUpToTheFirstThatIsAtItsEndAndNoneAfterThat) {
  struct Situation {
    int first, second;              // so many values there are
    int asked_first, asked_second;  // as Python's zip() does
  };
  InlineExecutor here;
  for (const MapOptions& options :
       {MapOptions{}, MapOptions{.buffersize = 2}, MapOptions{.chunksize = 2},
        MapOptions{.buffersize = 1, .chunksize = 3}}) {
    for (const Situation& of : {Situation{3, 1, 2, 2}, Situation{1, 3, 2, 1}, Situation{0, 3, 1, 0},
                                Situation{5, 5, 6, 5}}) {
      Supply first{of.first};
      Supply second{of.second};
      int calls = 0;
      for ([[maybe_unused]] const auto nothing : here.map(
               options, [&calls](int, int) { ++calls; }, first, second)) {
      }
      EXPECT_EQ(calls, std::min(of.first, of.second));
      EXPECT_EQ(first.asked, of.asked_first);
      EXPECT_EQ(second.asked, of.asked_second);
      EXPECT_EQ(first.ends_seen + second.ends_seen, 1);
    }
  }
}

// ---- Its end

TEST(MapRange, LooksAtNoValueAfterTheCallUnlessItHasABuffer) {
  for (const std::size_t chunksize : {std::size_t{1}, std::size_t{2}}) {
    InlineExecutor here;
    std::vector<int> numbers{1, 2, 3};
    numbers.reserve(8);
    std::forward_list<int> list{1, 2, 3};
    auto of_numbers = here.map(
        {.chunksize = chunksize}, [](int i) { return i; }, numbers);
    auto of_list = here.map(
        {.chunksize = chunksize}, [](int i) { return i; }, list);
    numbers.push_back(4);
    list.insert_after(std::next(list.begin(), 2), 4);
    here.shutdown();
    std::vector<int> got;
    for (const int i : of_numbers) got.push_back(i);
    for (const int i : of_list) got.push_back(i);
    EXPECT_EQ(got, (std::vector{1, 2, 3, 1, 2, 3}));
  }
}

TEST(MapRange, IsAtItsEndWhenACallThrewAndTheCallsBehindAreCancelled) {
  ThreadPoolExecutor pool(1);
  std::atomic<int> ran = 0;
  Event open;
  auto range = pool.map(
      [&](int n) {
        ++ran;
        if (n == 1) throw std::out_of_range("one");
        if (n == 2) open.wait();
      },
      std::vector{0, 1, 2, 3, 4});
  auto it = range.begin();
  EXPECT_TRUE(eventually([&ran] { return ran == 3; }));
  EXPECT_THROW(++it, std::out_of_range);
  EXPECT_TRUE(it == range.end());
  EXPECT_EQ(pool.stats().cancelled, 2U);
  open.set();
  pool.shutdown();
  EXPECT_EQ(ran, 3);
}

TEST(MapRange, YieldsTheResultsOfAChunkInFrontOfTheCallThatThrew) {
  ThreadPoolExecutor pool(1);
  std::vector<int> called;
  std::vector<int> got;
  EXPECT_THROW(
      {
        for (const int n : pool.map(
                 {.chunksize = 4},
                 [&called](int x) {
                   called.push_back(x);
                   if (x == 2) throw std::out_of_range("two");
                   return x;
                 },
                 std::vector{0, 1, 2, 3})) {
          got.push_back(n);
        }
      },
      std::out_of_range);
  EXPECT_EQ(got, (std::vector{0, 1}));
  EXPECT_EQ(called, (std::vector{0, 1, 2}));
}

TEST(MapRange, LeavingAChunkEarlyCancelsTheOtherChunks) {
  ThreadPoolExecutor pool(1);
  std::atomic<int> ran = 0;
  Event open;
  const auto call = [&](int n) {
    if (n == 2) open.wait();
    ++ran;
  };
  for ([[maybe_unused]] const auto nothing :
       pool.map({.chunksize = 2}, call, std::vector{0, 1, 2, 3, 4, 5, 6, 7})) {
    EXPECT_TRUE(eventually([&] { return pool.stats().queued == 2; }));
    break;
  }
  open.set();
  pool.shutdown();
  EXPECT_EQ(ran, 4);
}

TEST(MapRange, AStopEndsIt) {
  Event open;
  ThreadPoolExecutor pool(1);
  std::stop_source source;
  {
    const std::stop_token token = source.get_token();
    auto range = pool.map(
        {.timeout = token}, [&open](int) { open.wait(); }, std::vector{1, 2});
    EXPECT_TRUE(eventually([&pool] { return pool.stats().running == 1; }));
    source.request_stop();
    EXPECT_THROW(static_cast<void>(range.begin()), conc::Stopped);
    EXPECT_EQ(pool.stats().cancelled, 1U);
  }
  open.set();
}

TEST(MapRange, ItsOptionsMayBeKeptLongerThanTheToken) {
  Event open;
  ThreadPoolExecutor pool(1);
  std::stop_source source;
  std::stop_token token = source.get_token();
  const conc::Until until{10ms, token};
  const std::vector<MapOptions> kept{{.timeout = token},
                                     {.timeout = {1h, token}},
                                     {.timeout = {std::nullopt, token}},
                                     {.timeout = until}};
  token = std::stop_token();
  source.request_stop();
  for (const MapOptions& options : kept) {
    auto range = pool.map(
        options, [&open](int) { open.wait(); }, std::vector{1});
    EXPECT_THROW(static_cast<void>(range.begin()), conc::Stopped);
  }
  open.set();
}

TEST(MapRange, TakesEachFormOfUntil) {
  Event open;
  ThreadPoolExecutor pool(1);
  const auto gives_up = [&](const MapOptions& options) {
    auto range = pool.map(
        options, [&open](int) { open.wait(); }, std::vector{1});
    EXPECT_THROW(static_cast<void>(range.begin()), conc::TimeoutError);
  };
  gives_up({.timeout = 1ms});
  gives_up({.timeout = std::chrono::steady_clock::now() + 1ms});
  gives_up({.timeout = std::chrono::system_clock::now() + 1ms});
  gives_up({.timeout = std::optional(1ms)});
  gives_up({.timeout = conc::at_once});
  gives_up({.timeout = {1ms, std::stop_source().get_token()}});
  open.set();
  for (const MapOptions& options :
       {MapOptions{}, MapOptions{.timeout = conc::forever}, MapOptions{.timeout = std::nullopt}}) {
    EXPECT_TRUE(pool.map(
                        options, [](int) {}, std::vector{1})
                    .begin() != std::default_sentinel);
  }
}

TEST(MapRange, WhatIsThereIsYieldedAlthoughTheTimeIsUp) {
  InlineExecutor here;
  int sum = 0;
  for (const int n : here.map(
           {.timeout = 0ms}, [](int x) { return x; }, std::vector{1, 2, 3})) {
    sum += n;
  }
  EXPECT_EQ(sum, 6);
}

// Its third copy throws.
struct ThirdCopyThrows {
  static inline int copies = 0;
  ThirdCopyThrows() = default;
  ThirdCopyThrows(const ThirdCopyThrows&) {
    if (++copies == 3) throw std::length_error("copy");
  }
  ThirdCopyThrows(ThirdCopyThrows&&) noexcept {}
  ThirdCopyThrows& operator=(const ThirdCopyThrows&) = default;
};

TEST(MapRange, SubmitsNothingAfterAValueThatCannotBeCopied) {
  const std::vector<ThirdCopyThrows> values(5);
  for (const std::size_t chunk : {1U, 2U, 5U}) {
    InlineExecutor here;
    int ran = 0;
    ThirdCopyThrows::copies = 0;
    const auto call = [&ran](const ThirdCopyThrows&) { ++ran; };
    EXPECT_THROW(static_cast<void>(here.map({.chunksize = chunk}, call, values)),
                 std::length_error);
    EXPECT_EQ(ran, chunk == 5 ? 0 : 2);
  }
}

TEST(MapRange, ThrowsWhatSubmitThrows) {
  ThreadPoolExecutor pool(1);
  pool.shutdown();
  for (const std::size_t chunk : {1U, 2U}) {
    EXPECT_THROW(static_cast<void>(pool.map(
                     {.chunksize = chunk}, [](int) {}, std::vector{1, 2, 3})),
                 conc::UsageError);
  }
}

// ---- Memory

TEST(MapRange, CostsOneAllocationForEachChunk) {
  InlineExecutor here;
  const std::vector<int> numbers(1000, 1);
  const auto cost = [&](std::size_t chunk) {
    const auto before = conc::test::allocations.load();
    int sum = 0;
    for (const int n : here.map(
             {.chunksize = chunk}, [](int x) { return x; }, numbers)) {
      sum += n;
    }
    EXPECT_EQ(sum, 1000);
    return conc::test::allocations.load() - before;
  };
  // And a few for the range itself.
  const std::size_t of_the_range = cost(1000) - 1;
  EXPECT_LE(of_the_range, 8U);
  EXPECT_LE(cost(100), 10 + of_the_range);
  EXPECT_LE(cost(20), 50 + 2 * of_the_range);
}

}  // namespace

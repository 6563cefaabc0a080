// Queues under load: every item exactly once, in order, whatever gives up or ends in between; and
// recorded histories checked for linearizability.
#include <conc/errors.hpp>
#include <conc/lifo_queue.hpp>
#include <conc/priority_queue.hpp>
#include <conc/queue.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "eventually.hpp"
#include "gate.hpp"
#include "stress.hpp"

namespace {

using conc::test::Dice;
using conc::test::rounds;
using conc::test::together;
using conc::test::waiters;
using std::chrono::microseconds;

// ---- Every item once, and in order

// producers, consumers, maxsize
using Shape = std::tuple<std::size_t, std::size_t, std::size_t>;

class QueueStress : public testing::TestWithParam<Shape> {};

std::string shape_name(const testing::TestParamInfo<Shape>& info) {
  const auto [producers, consumers, maxsize] = info.param;
  return std::to_string(producers) + "P" + std::to_string(consumers) + "C_" +
         (maxsize != 0 ? std::to_string(maxsize) : "unbounded");
}

std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (const auto& [producers, consumers] :
       {std::pair(1U, 1U), {2U, 2U}, {8U, 8U}, {1U, 8U}, {8U, 1U}}) {
    for (const std::size_t maxsize : {0U, 1U, 2U, 1000U}) {
      all.emplace_back(producers, consumers, maxsize);
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Shapes, QueueStress, testing::ValuesIn(shapes()), shape_name);

// What a producer knows of a put: stamps from just before and just after it.
struct Put {
  std::uint64_t begun = 0;
  std::uint64_t done = 0;  // 0: it did not succeed
};

// What a consumer knows of a get.
struct Got {
  std::size_t producer = 0;
  std::size_t k = 0;
  std::uint64_t begun = 0;
  std::uint64_t done = 0;
};

// How patient the callers are.
enum class Manner { patient, impatient };

// Text, so that an item that is got twice or never is seen by the sanitizers as well. One kind lies
// in the queue's slots, the other in cells.
using InSlot = std::string;
struct InCell {
  std::string text;
};
const std::string& text_of(const InSlot& item) { return item; }
const std::string& text_of(const InCell& item) { return item.text; }

template <class Item>
class Traffic {
 public:
  Traffic(Shape shape, Manner manner) : manner_(manner) {
    std::tie(producers_, consumers_, maxsize_) = shape;
    each_ =
        static_cast<std::size_t>(rounds(manner == Manner::patient ? 8'000 : 3'000)) / producers_ +
        1;
    puts_.resize(producers_, std::vector<Put>(each_));
    got_.resize(consumers_);
  }

  void go() {
    conc::Queue<Item> queue(maxsize_);
    std::atomic<std::size_t> producing = producers_;
    together(producers_ + consumers_, [&](std::size_t i) {
      if (i < producers_) {
        produce(queue, i);
        if (producing.fetch_sub(1) == 1) queue.shutdown();
      } else {
        consume(queue, i - producers_);
      }
    });
    EXPECT_EQ(waiters(queue), 0U);
    EXPECT_TRUE(queue.empty());
    EXPECT_TRUE(queue.join(conc::at_once));
    check();
  }

 private:
  conc::Until patience(Dice& dice, const std::stop_token& stopped) const {
    if (manner_ == Manner::patient) return conc::forever;
    const int roll = dice.roll(10);
    if (roll == 0) return stopped;
    return microseconds(roll < 4 ? dice.roll(3) : dice.roll(200));
  }

  void produce(conc::Queue<Item>& queue, std::size_t self) {
    Dice dice(static_cast<unsigned>(self) + 1);
    for (std::size_t k = 0; k < each_; ++k) {
      std::stop_source source;
      const std::stop_token token = source.get_token();
      if (dice.roll(2) == 0) source.request_stop();
      Item item{std::to_string(self) + ':' + std::to_string(k) + ':' + std::string(24, '.')};
      Put& put = puts_[self][k];
      put.begun = clock_.fetch_add(1);
      if (manner_ == Manner::patient) {
        queue.put(std::move(item));
      } else if (!queue.try_put(std::move(item), patience(dice, token))) {
        ASSERT_GT(text_of(item).size(), 24U) << "a put that failed has taken the item";
        continue;
      }
      put.done = clock_.fetch_add(1);
    }
  }

  void consume(conc::Queue<Item>& queue, std::size_t self) {
    Dice dice(static_cast<unsigned>(self) + 100);
    for (;;) {
      try {
        std::stop_source source;
        const std::stop_token token = source.get_token();
        if (dice.roll(2) == 0) source.request_stop();
        const std::uint64_t begun = clock_.fetch_add(1);
        const Item got = queue.get(patience(dice, token));
        const std::uint64_t done = clock_.fetch_add(1);
        const std::string& item = text_of(got);
        const std::size_t colon = item.find(':');
        got_[self].push_back(
            {std::stoul(item.substr(0, colon)), std::stoul(item.substr(colon + 1)), begun, done});
        queue.task_done();
      } catch (const conc::Empty&) {
      } catch (const conc::Stopped&) {
      } catch (const conc::ShutDown&) {
        return;
      }
    }
  }

  void check() const {
    std::set<std::pair<std::size_t, std::size_t>> seen;
    for (const auto& gets : got_) {
      std::vector<std::size_t> next(producers_);
      for (const Got& got : gets) {
        EXPECT_TRUE(seen.emplace(got.producer, got.k).second) << "got twice";
        EXPECT_NE(puts_[got.producer][got.k].done, 0U) << "got, though the put failed";
        EXPECT_GE(got.k, next[got.producer]) << "out of its producer's order";
        next[got.producer] = got.k + 1;
      }
    }
    check_order_by_tickets();
    std::size_t succeeded = 0;
    for (const auto& puts : puts_) {
      succeeded += static_cast<std::size_t>(
          std::ranges::count_if(puts, [](const Put& put) { return put.done != 0; }));
    }
    EXPECT_EQ(seen.size(), succeeded) << "an item was lost";
  }

  // No item was got before another's get began that had been put before its own put began.
  void check_order_by_tickets() const {
    std::vector<Got> by_begin;
    for (const auto& gets : got_) by_begin.insert(by_begin.end(), gets.begin(), gets.end());
    std::vector<Got> by_end = by_begin;
    std::ranges::sort(by_begin, {}, &Got::begun);
    std::ranges::sort(by_end, {}, &Got::done);
    std::uint64_t latest_put = 0;  // of those whose get was over: when the put began
    std::size_t over = 0;
    for (const Got& got : by_begin) {
      for (; by_end[over].done < got.begun; ++over) {
        latest_put = std::max(latest_put, puts_[by_end[over].producer][by_end[over].k].begun);
      }
      EXPECT_GE(puts_[got.producer][got.k].done, latest_put)
          << "came out after an item that was put later";
    }
  }

  const Manner manner_;
  std::size_t producers_ = 0;
  std::size_t consumers_ = 0;
  std::size_t maxsize_ = 0;
  std::size_t each_ = 0;
  std::atomic<std::uint64_t> clock_ = 1;
  std::vector<std::vector<Put>> puts_;
  std::vector<std::vector<Got>> got_;
};

TEST_P(QueueStress, EveryItemComesOutOnceAndInOrder) {
  Traffic<InSlot>(GetParam(), Manner::patient).go();
  Traffic<InCell>(GetParam(), Manner::patient).go();
}

TEST_P(QueueStress, TimeoutsAndStopsLoseNothing) {
  Traffic<InSlot>(GetParam(), Manner::impatient).go();
  Traffic<InCell>(GetParam(), Manner::impatient).go();
}

// A put that returned was got or dropped; one that threw was neither.
template <class Item>
void shut_down_in_the_middle(Shape shape) {
  const auto [producers, consumers, maxsize] = shape;
  const std::int64_t count = rounds(10);
  for (std::int64_t round = 0; round < count; ++round) {
    const bool immediate = round % 2 == 0;
    conc::Queue<Item> queue(maxsize);
    const auto value = std::make_shared<int>(1);
    std::atomic<int> put = 0;
    std::atomic<int> got = 0;
    together(producers + consumers + 1, [&, p = producers, c = consumers](std::size_t i) {
      if (i < p) {
        try {
          for (;;) {
            queue.put(Item{value});
            ++put;
          }
        } catch (const conc::ShutDown&) {
        }
      } else if (i < p + c) {
        for (auto& each : queue) {
          EXPECT_NE(each, Item{});
          ++got;
          queue.task_done();
        }
      } else {
        while (put < 50) std::this_thread::yield();
        queue.shutdown(immediate);
      }
    });
    EXPECT_EQ(value.use_count(), 1) << "nothing is left behind";
    EXPECT_TRUE(immediate ? got <= put : got == put);
    EXPECT_TRUE(queue.join(conc::at_once));
    EXPECT_EQ(waiters(queue), 0U);
  }
}

TEST_P(QueueStress, ShutdownInTheMiddleLosesNothingElse) {
  struct Boxed {
    std::shared_ptr<int> value;
    bool operator==(const Boxed&) const = default;
  };
  shut_down_in_the_middle<std::shared_ptr<int>>(GetParam());
  shut_down_in_the_middle<Boxed>(GetParam());
}

TEST(QueueStressOnce, DestructionRightAfterTheLastGet) {
  // One thread puts into a queue that another destroys as soon as it has the item.
  const std::int64_t count = rounds(100'000);
  struct Item {
    std::unique_ptr<int> value;
  };
  std::atomic<conc::Queue<Item>*> shared = nullptr;
  together(2, [&](std::size_t i) {
    for (std::int64_t round = 0; round < count; ++round) {
      if (i == 0) {
        conc::Queue<Item> queue(round % 3 == 0 ? 1 : 0);
        shared.store(&queue);
        if (round % 4 == 0) queue.wait_not_empty();
        EXPECT_EQ(*queue.get().value, 1);
      } else {
        conc::Queue<Item>* queue = nullptr;
        while ((queue = shared.exchange(nullptr)) == nullptr) std::this_thread::yield();
        queue->put(Item{std::make_unique<int>(1)});
      }
    }
  });
}

TEST(QueueStressOnce, SelectAndGetShareTheItems) {
  const std::int64_t count = rounds(5'000);
  conc::Queue<int> one(2);
  conc::LifoQueue<int> two(2);
  std::atomic<std::int64_t> got = 0;
  together(6, [&](std::size_t i) {
    if (i == 0) {
      for (std::int64_t k = 0; k < count; ++k) one.put(1);
      one.shutdown();
    } else if (i == 1) {
      for (std::int64_t k = 0; k < count; ++k) two.put(1);
      two.shutdown();
    } else if (i < 4) {
      while (const auto at = conc::try_select(one, two, conc::forever)) {
        if (*at == 0 ? one.try_get().has_value() : two.try_get().has_value()) ++got;
      }
    } else if (i == 4) {
      for ([[maybe_unused]] auto& item : one) ++got;
    } else {
      for ([[maybe_unused]] auto& item : two) ++got;
    }
  });
  EXPECT_EQ(got, 2 * count);
  EXPECT_EQ(waiters(one) + waiters(two), 0U);
}

// ---- Linearizability: three threads, four calls each, and the search for an order that explains
// what they saw.

enum class Call { try_put, try_get };

struct Event {
  Call call;
  int item = 0;       // put in or got
  bool done = false;  // whether it succeeded
  std::uint64_t begun = 0;
  std::uint64_t ended = 0;
};

struct FifoModel {
  static constexpr const char* name = "Queue";
  using Queue = conc::Queue<int>;
  std::deque<int> items;
  void put(int item) { items.push_back(item); }
  int next() const { return items.front(); }
  void pop() { items.pop_front(); }
};
struct LifoModel {
  static constexpr const char* name = "LifoQueue";
  using Queue = conc::LifoQueue<int>;
  std::deque<int> items;
  void put(int item) { items.push_back(item); }
  int next() const { return items.back(); }
  void pop() { items.pop_back(); }
};
// The tens are the rank; within one, first in, first out.
struct ByTens {
  bool operator()(int one, int other) const { return one / 10 < other / 10; }
};
struct PriorityModel {
  static constexpr const char* name = "PriorityQueue";
  using Queue = conc::PriorityQueue<int, ByTens>;
  std::deque<int> items;
  void put(int item) {
    items.insert(std::upper_bound(items.begin(), items.end(), item, ByTens()), item);
  }
  int next() const { return items.front(); }
  void pop() { items.pop_front(); }
};

using History = std::array<std::vector<Event>, 3>;

template <class Model>
bool explained(const History& history, std::array<std::size_t, 3> at, const Model& model,
               std::size_t maxsize) {
  std::uint64_t first_end = ~std::uint64_t{0};
  bool over = true;
  for (std::size_t i = 0; i < 3; ++i) {
    if (at[i] == history[i].size()) continue;
    over = false;
    first_end = std::min(first_end, history[i][at[i]].ended);
  }
  if (over) return true;
  for (std::size_t i = 0; i < 3; ++i) {
    if (at[i] == history[i].size()) continue;
    const Event& event = history[i][at[i]];
    if (event.begun > first_end) continue;  // another ended before this began
    Model after = model;
    if (event.call == Call::try_get) {
      if (event.done != !after.items.empty()) continue;
      if (event.done) {
        if (after.next() != event.item) continue;
        after.pop();
      }
    } else {
      const bool room = maxsize == 0 || after.items.size() < maxsize;
      if (event.done != room) continue;
      if (event.done) after.put(event.item);
    }
    auto next = at;
    ++next[i];
    if (explained(history, next, after, maxsize)) return true;
  }
  return false;
}

template <class Model>
void check_histories() {
  const std::int64_t count = rounds(6'000);
  std::atomic<std::uint64_t> clock = 0;
  std::size_t checked = 0;
  std::size_t overlapping = 0;
  for (const std::size_t maxsize : {0U, 1U, 2U}) {
    std::vector<std::unique_ptr<typename Model::Queue>> queues;
    std::vector<History> histories(static_cast<std::size_t>(count / 3 + 1));
    for (std::size_t r = 0; r < histories.size(); ++r) {
      queues.push_back(std::make_unique<typename Model::Queue>(maxsize));
    }
    std::vector<std::atomic<int>> here(histories.size());
    together(3, [&](std::size_t i) {
      Dice dice(static_cast<unsigned>(i * 7 + maxsize + 1));
      for (std::size_t r = 0; r < histories.size(); ++r) {
        auto& queue = *queues[r];
        here[r].fetch_add(1);
        while (here[r].load() != 3) std::this_thread::yield();
        for (int k = 0; k < 4; ++k) {
          Event event{dice.roll(2) == 0 ? Call::try_put : Call::try_get};
          event.item = static_cast<int>(i) * 4 + k + 10 * dice.roll(2);
          // Giving way now and then lets the calls of the others fall into this one.
          event.begun = clock.fetch_add(1);
          if (dice.roll(3) == 0) std::this_thread::yield();
          if (event.call == Call::try_put) {
            event.done = queue.try_put(event.item);
          } else if (const auto got = queue.try_get()) {
            event.done = true;
            event.item = *got;
          }
          if (dice.roll(3) == 0) std::this_thread::yield();
          event.ended = clock.fetch_add(1);
          histories[r][i].push_back(event);
        }
      }
    });
    checked += histories.size();
    for (const History& history : histories) {
      ASSERT_TRUE(explained(history, {0, 0, 0}, Model(), maxsize)) << Model::name << ' ' << maxsize;
      for (std::size_t i = 0; i < 3; ++i) {
        const auto& mine = history[i];
        const auto& other = history[(i + 1) % 3];
        if (mine.front().begun < other.back().ended && other.front().begun < mine.back().ended) {
          ++overlapping;
          break;
        }
      }
    }
  }
  std::cout << Model::name << ": " << checked << " histories, " << overlapping
            << " of them overlap\n";
}

TEST(Linearizability, Queue) { check_histories<FifoModel>(); }
TEST(Linearizability, LifoQueue) { check_histories<LifoModel>(); }
TEST(Linearizability, PriorityQueue) { check_histories<PriorityModel>(); }

}  // namespace

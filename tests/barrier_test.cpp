#include <conc/barrier.hpp>
#include <conc/errors.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "eventually.hpp"
#include "gate.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Barrier;
using conc::BrokenBarrier;
using conc::Until;
using conc::test::eventually;
using conc::test::eventually_waiting;
using conc::test::together;
using conc::test::waiters;
using Clock = Until::Clock;

static_assert(!std::copyable<Barrier> && !std::movable<Barrier>);
static_assert(!std::convertible_to<int, Barrier>, "a number is not a barrier");
static_assert(sizeof(Barrier) <= 152, "stated in the header");

// Whole, nobody in it, nobody in the list.
void expect_at_rest(const Barrier& barrier) {
  EXPECT_FALSE(barrier.broken());
  EXPECT_EQ(barrier.n_waiting(), 0U);
  EXPECT_EQ(waiters(barrier), 0U);
}

// Threads that all call wait(), and what became of each: its index, or `broke`.
constexpr std::size_t broke = static_cast<std::size_t>(-1);

class Team {
 public:
  Team(Barrier& barrier, std::size_t n, std::optional<Until> until = {}) : results_(n, 0) {
    for (std::size_t i = 0; i < n; ++i) {
      threads_.emplace_back([this, &barrier, i, until] {
        try {
          results_[i] = until ? barrier.wait(*until) : barrier.wait();
        } catch (const BrokenBarrier&) {
          results_[i] = broke;
        }
      });
    }
  }

  // In the order of the indices; the broken come last.
  std::vector<std::size_t> results() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    std::sort(results_.begin(), results_.end());
    return results_;
  }
  std::size_t broken() {
    results();
    return static_cast<std::size_t>(std::count(results_.begin(), results_.end(), broke));
  }

 private:
  std::vector<std::size_t> results_;
  std::vector<std::thread> threads_;
};

std::vector<std::size_t> upto(std::size_t n) {
  std::vector<std::size_t> numbers(n);
  for (std::size_t i = 0; i < n; ++i) numbers[i] = i;
  return numbers;
}

// An action that stays in it until it is told to go on.
struct SlowAction {
  std::binary_semaphore begun{0};
  std::binary_semaphore may_end{0};
  std::atomic<int> runs{0};

  std::function<void()> function() {
    return [this] {
      ++runs;
      begun.release();
      may_end.acquire();
    };
  }
};

// ---- Meeting

TEST(Barrier, OfNoPartiesOrTooManyThrowsAndNamesTheObject) {
  for (const std::size_t parties :
       {std::size_t{0}, Barrier::max_parties + 1, std::numeric_limits<std::size_t>::max()}) {
    EXPECT_THROW(Barrier barrier(parties), std::invalid_argument);
  }
  try {
    Barrier barrier(0, {}, {}, "start");
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(),
                 "conc::Barrier \"start\" was made for 0 parties; it takes 1 to 16777215.");
  }
  EXPECT_EQ(Barrier(Barrier::max_parties).parties(), Barrier::max_parties);
}

TEST(Barrier, OfOnePartyNeverBlocks) {
  int runs = 0;
  Barrier barrier(1, [&] { ++runs; });
  EXPECT_EQ(barrier.wait(), 0U);
  EXPECT_EQ(barrier.wait(conc::at_once), 0U);
  EXPECT_EQ(runs, 2);
  Barrier plain(1);
  EXPECT_EQ(plain.wait(), 0U);
  EXPECT_EQ(plain.wait(), 0U);
  expect_at_rest(barrier);
  expect_at_rest(plain);
}

TEST(Barrier, GivesOutEachIndexOnceARoundInTheOrderOfComing) {
  Barrier barrier(4);
  for (int round = 0; round < 3; ++round) {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 3; ++i) {
      threads.emplace_back([&barrier, i] { EXPECT_EQ(barrier.wait(), i); });
      ASSERT_TRUE(eventually([&] { return barrier.n_waiting() == i + 1; }));
    }
    EXPECT_EQ(barrier.wait(), 3U);
    for (std::thread& thread : threads) thread.join();
    expect_at_rest(barrier);
  }
}

TEST(Barrier, LetsNobodyGoOnBeforeAllHaveCome) {
  constexpr std::size_t parties = 5;
  Barrier barrier(parties);
  std::atomic<std::size_t> came{0};
  together(parties, [&](std::size_t) {
    for (std::size_t round = 1; round <= 200; ++round) {
      ++came;
      EXPECT_LT(barrier.wait(), parties);
      EXPECT_GE(came, round * parties);
    }
  });
  EXPECT_EQ(came, 200 * parties);
  expect_at_rest(barrier);
}

TEST(Barrier, LetsSleepersGoOnToo) {
  Barrier barrier(3);
  Team sleepers(barrier, 2);
  ASSERT_TRUE(eventually_waiting(barrier, 2));
  EXPECT_EQ(barrier.n_waiting(), 2U);
  EXPECT_EQ(barrier.wait(), 2U);
  EXPECT_EQ(sleepers.results(), upto(2));
  expect_at_rest(barrier);
}

TEST(Barrier, CanBeUsedAgainWhileThePreviousRoundDrains) {
  // Two threads of three go from round to round; the third is always the last to leave.
  constexpr int rounds = 300;
  Barrier barrier(3);
  together(3, [&](std::size_t i) {
    for (int round = 0; round < rounds; ++round) {
      EXPECT_LT(barrier.wait(), 3U);
      if (i == 0) std::this_thread::yield();
    }
  });
  expect_at_rest(barrier);
}

TEST(Barrier, ServesMoreThreadsThanParties) {
  constexpr std::size_t parties = 3;
  std::atomic<int> rounds{0};
  Barrier barrier(parties, [&] { ++rounds; });
  std::vector<std::atomic<int>> given(parties);
  std::atomic<int> arrivals{600};  // shared, so that the last rounds are complete as well
  together(2 * parties, [&](std::size_t) {
    while (arrivals.fetch_sub(1) > 0) ++given[barrier.wait()];
  });
  EXPECT_EQ(rounds, 200);
  for (const std::atomic<int>& times : given) EXPECT_EQ(times, 200);
  expect_at_rest(barrier);
}

TEST(Barrier, WhatEachPartyWroteIsSeenByAllAndByTheAction) {
  constexpr std::size_t parties = 4;
  std::vector<int> plain(parties, 0);
  int sum = 0;
  Barrier barrier(parties, [&] {
    sum = 0;
    for (const int value : plain) sum += value;
  });
  together(parties, [&](std::size_t i) {
    for (int round = 1; round <= 100; ++round) {
      plain[i] = round;
      barrier.wait();
      EXPECT_EQ(sum, round * static_cast<int>(parties));
      for (const int value : plain) EXPECT_EQ(value, round);
      barrier.wait();
    }
  });
  expect_at_rest(barrier);
}

// ---- The action

TEST(Barrier, ActionRunsOnceARoundInTheLastThreadBeforeAnyGoesOn) {
  constexpr std::size_t parties = 4;
  std::atomic<int> runs{0};
  std::atomic<std::thread::id> runner;
  Barrier barrier(parties, [&] {
    runner = std::this_thread::get_id();
    ++runs;
  });
  Barrier pause(parties);
  together(parties, [&](std::size_t) {
    for (int round = 1; round <= 100; ++round) {
      const std::size_t index = barrier.wait();
      EXPECT_EQ(runs, round);
      EXPECT_EQ(runner.load() == std::this_thread::get_id(), index == parties - 1);
      pause.wait();  // so that nobody is in the next round yet
    }
  });
  expect_at_rest(barrier);
}

TEST(Barrier, ActionMayAskTheBarrier) {
  std::size_t waiting = 0;
  bool broken = true;
  Barrier* self = nullptr;
  Barrier barrier(2, [&] {
    waiting = self->n_waiting();
    broken = self->broken();
  });
  self = &barrier;
  Team other(barrier, 1);
  ASSERT_TRUE(eventually_waiting(barrier, 1));
  EXPECT_EQ(barrier.wait(), 1U);
  EXPECT_EQ(other.results(), upto(1));
  EXPECT_EQ(waiting, 2U) << "all have come";
  EXPECT_FALSE(broken);
  expect_at_rest(barrier);
}

TEST(Barrier, ActionThatThrowsBreaksItAndItsThreadSeesTheException) {
  Barrier barrier(3, [] { throw std::out_of_range("no more"); });
  Team others(barrier, 2);
  ASSERT_TRUE(eventually([&] { return barrier.n_waiting() == 2; }));
  try {
    barrier.wait();
    FAIL();
  } catch (const std::out_of_range& error) {
    EXPECT_STREQ(error.what(), "no more");
  }
  EXPECT_EQ(others.broken(), 2U);
  EXPECT_TRUE(barrier.broken());
  EXPECT_EQ(barrier.n_waiting(), 0U);
  EXPECT_THROW(barrier.wait(), BrokenBarrier);
  barrier.reset();
  expect_at_rest(barrier);
}

TEST(Barrier, ActionThatCallsWaitGetsAUsageErrorInsteadOfWaitingForItself) {
  Barrier* self = nullptr;
  Barrier barrier(2, [&] { self->wait(); });
  self = &barrier;
  Team other(barrier, 1);
  ASSERT_TRUE(eventually_waiting(barrier, 1));
  EXPECT_THROW(barrier.wait(), conc::UsageError);
  EXPECT_EQ(other.broken(), 1U);
  EXPECT_TRUE(barrier.broken());
}

TEST(Barrier, ActionThatAbortsBreaksItsOwnRound) {
  Barrier* self = nullptr;
  Barrier barrier(2, [&] { self->abort(); });
  self = &barrier;
  Team other(barrier, 1);
  ASSERT_TRUE(eventually_waiting(barrier, 1));
  EXPECT_THROW(barrier.wait(), BrokenBarrier);
  EXPECT_EQ(other.broken(), 1U);
  EXPECT_TRUE(barrier.broken());
}

TEST(Barrier, ActionThatResetsBreaksItsOwnRoundButNotTheBarrier) {
  Barrier* self = nullptr;
  Barrier barrier(2, [&] { self->reset(); });
  self = &barrier;
  Team other(barrier, 1);
  ASSERT_TRUE(eventually_waiting(barrier, 1));
  EXPECT_THROW(barrier.wait(), BrokenBarrier);
  EXPECT_EQ(other.broken(), 1U);
  expect_at_rest(barrier);
}

// ---- Giving up

TEST(Barrier, TheLastToComeSucceedsInEveryFormOfUntil) {
  Barrier barrier(2);
  std::stop_source stopped;
  stopped.request_stop();
  const std::stop_token token = stopped.get_token();
  for (const Until until :
       {Until(1h), Until(-1h), Until(Clock::now() - 1h), Until(std::chrono::system_clock::now()),
        Until(token), Until{1h, token}, Until(std::nullopt), conc::forever, conc::at_once}) {
    Team other(barrier, 1);
    ASSERT_TRUE(eventually([&] { return barrier.n_waiting() == 1; }));
    EXPECT_EQ(barrier.wait(until), 1U);
    EXPECT_EQ(other.results(), upto(1));
  }
  expect_at_rest(barrier);
}

TEST(Barrier, WaitsInEveryFormOfUntil) {
  Barrier barrier(2);
  std::stop_source source;
  const std::stop_token token = source.get_token();
  for (const Until until : {Until(1h), Until(Clock::now() + 1h), Until(token), Until{1h, token},
                            Until(std::nullopt), Until(std::optional<Clock::duration>())}) {
    Team other(barrier, 1, until);
    ASSERT_TRUE(eventually_waiting(barrier, 1));
    EXPECT_EQ(barrier.wait(), 1U);
    EXPECT_EQ(other.results(), upto(1));
  }
  expect_at_rest(barrier);
}

TEST(Barrier, ThatAWaiterMayNotWaitForIsBroken) {
  std::stop_source stopped;
  stopped.request_stop();
  const std::stop_token token = stopped.get_token();
  for (const Until until :
       {Until(0ns), Until(-1h), Until(Clock::time_point::min()), Until(Clock::now() - 1h),
        Until(std::chrono::system_clock::now() - 1h), Until(token), Until{1h, token},
        Until{std::nullopt, token}, conc::at_once}) {
    Barrier barrier(2);
    EXPECT_THROW(barrier.wait(until), BrokenBarrier);
    EXPECT_TRUE(barrier.broken());
    EXPECT_EQ(barrier.n_waiting(), 0U);
    EXPECT_EQ(waiters(barrier), 0U);
  }
}

TEST(Barrier, ALoneWaitOnAFreshOneThrowsWhenTheTimeIsUpAndNotEarlier) {
  Barrier barrier(3);
  Clock::time_point start = Clock::now();
  EXPECT_THROW(barrier.wait(3ms), BrokenBarrier);
  EXPECT_GE(Clock::now() - start, 3ms);
  EXPECT_TRUE(barrier.broken());
  barrier.reset();
  start = Clock::now();
  EXPECT_THROW(barrier.wait(start + 3ms), BrokenBarrier);
  EXPECT_GE(Clock::now() - start, 3ms);
}

TEST(Barrier, ATimeoutOfOneBreaksItForAll) {
  Barrier barrier(4);
  Team patient(barrier, 2);
  ASSERT_TRUE(eventually_waiting(barrier, 2));
  EXPECT_THROW(barrier.wait(1ms), BrokenBarrier);
  EXPECT_EQ(patient.broken(), 2U);
  EXPECT_TRUE(barrier.broken());
  EXPECT_EQ(barrier.n_waiting(), 0U);
  EXPECT_THROW(barrier.wait(), BrokenBarrier);
}

TEST(Barrier, AStopOfOneBreaksItForAll) {
  Barrier barrier(4);
  std::stop_source source;
  const std::stop_token token = source.get_token();
  Team patient(barrier, 2);
  Team stopped(barrier, 1, Until(token));
  ASSERT_TRUE(eventually_waiting(barrier, 3));
  source.request_stop();
  EXPECT_EQ(stopped.broken(), 1U);
  EXPECT_EQ(patient.broken(), 2U);
  EXPECT_TRUE(barrier.broken());
}

TEST(Barrier, TheConstructorsTimeoutIsForAWaitThatDoesNotSayOtherwise) {
  Barrier barrier(2, {}, 2ms);
  const Clock::time_point start = Clock::now();
  EXPECT_THROW(barrier.wait(), BrokenBarrier);
  EXPECT_GE(Clock::now() - start, 2ms);
  barrier.reset();
  // That one would have given up before the other comes.
  Team patient(barrier, 1, conc::forever);
  ASSERT_TRUE(eventually_waiting(barrier, 1));
  EXPECT_TRUE(eventually([&] { return Clock::now() - start > 10ms; }));
  EXPECT_EQ(barrier.wait(), 1U);
  EXPECT_EQ(patient.results(), upto(1));
  expect_at_rest(barrier);
}

TEST(Barrier, WhatItThrowsNamesTheObjectAndTheCause) {
  Barrier barrier(2, {}, {}, "finish");
  const auto text = [&](Until until) {
    try {
      barrier.wait(until);
    } catch (const BrokenBarrier& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(text(conc::at_once),
            "conc::Barrier \"finish\" was broken by this thread, which gave up waiting.");
  EXPECT_EQ(text(conc::forever),
            "conc::Barrier \"finish\" is broken; reset() makes it whole again.");
  EXPECT_STREQ(barrier.name(), "finish");
}

// ---- abort() and reset()

TEST(Barrier, AbortBreaksItForThoseWhoWaitAndThoseWhoComeUntilReset) {
  Barrier barrier(3);
  Team waiting(barrier, 2);
  ASSERT_TRUE(eventually([&] { return barrier.n_waiting() == 2; }));
  barrier.abort();
  EXPECT_TRUE(barrier.broken());
  EXPECT_EQ(barrier.n_waiting(), 0U);
  EXPECT_EQ(waiting.broken(), 2U);
  EXPECT_THROW(barrier.wait(), BrokenBarrier);
  EXPECT_THROW(barrier.wait(3s), BrokenBarrier) << "at once";
  barrier.abort();
  EXPECT_TRUE(barrier.broken());
  barrier.reset();
  Team again(barrier, 3);
  EXPECT_EQ(again.results(), upto(3));
  expect_at_rest(barrier);
}

TEST(Barrier, AbortOfOneThatNobodyWaitsForBreaksItToo) {
  Barrier barrier(2);
  barrier.abort();
  EXPECT_TRUE(barrier.broken());
  EXPECT_THROW(barrier.wait(), BrokenBarrier);
}

TEST(Barrier, ResetGivesThoseWhoWaitBrokenBarrierAndIsWholeAtOnce) {
  Barrier barrier(3);
  Team waiting(barrier, 2);
  ASSERT_TRUE(eventually([&] { return barrier.n_waiting() == 2; }));
  barrier.reset();
  EXPECT_FALSE(barrier.broken());
  EXPECT_EQ(barrier.n_waiting(), 0U);
  // The next round, while the last may still be leaving.
  Team again(barrier, 3);
  EXPECT_EQ(waiting.broken(), 2U);
  EXPECT_EQ(again.results(), upto(3));
  expect_at_rest(barrier);
}

TEST(Barrier, ResetOfAFreshOneChangesNothing) {
  Barrier barrier(2);
  barrier.reset();
  barrier.reset();
  Team team(barrier, 2);
  EXPECT_EQ(team.results(), upto(2));
  expect_at_rest(barrier);
}

TEST(Barrier, ARoundThatIsCompleteIsNotDisturbedWhileItDrains) {
  for (int round = 0; round < 300; ++round) {
    Barrier barrier(4);
    Team draining(barrier, 3);
    ASSERT_TRUE(eventually([&] { return barrier.n_waiting() == 3; }));
    EXPECT_EQ(barrier.wait(), 3U);
    EXPECT_EQ(barrier.n_waiting(), 0U);
    if (round % 3 != 1) barrier.reset();
    if (round % 3 != 0) barrier.abort();
    EXPECT_EQ(barrier.broken(), round % 3 != 0);
    ASSERT_EQ(draining.results(), upto(3));
  }
}

TEST(Barrier, EveryRoundThatIsBrokenBeforeItIsCompleteIsBrokenForAllOfIt) {
  // The waiters may still watch the word, or be anywhere on their way to sleep.
  for (int round = 0; round < 1'000; ++round) {
    Barrier barrier(3);
    Team first(barrier, 2);
    while (barrier.n_waiting() != 2) std::this_thread::yield();
    if (round % 2 == 0) barrier.abort();
    barrier.reset();
    Team second(barrier, 2);
    while (barrier.n_waiting() != 2) std::this_thread::yield();
    barrier.reset();
    Team third(barrier, 3);
    ASSERT_EQ(third.results(), upto(3));
    ASSERT_EQ(second.broken(), 2U);
    ASSERT_EQ(first.broken(), 2U);
    expect_at_rest(barrier);
  }
}

// ---- While the action runs

TEST(Barrier, AbortWhileTheActionRunsFreesTheWaitersAtOnce) {
  SlowAction action;
  Barrier barrier(3, action.function());
  Team waiting(barrier, 2);
  ASSERT_TRUE(eventually([&] { return barrier.n_waiting() == 2; }));
  Team last(barrier, 1);
  action.begun.acquire();
  barrier.abort();
  EXPECT_TRUE(barrier.broken());
  EXPECT_EQ(barrier.n_waiting(), 0U);
  EXPECT_EQ(waiting.broken(), 2U);
  EXPECT_THROW(barrier.wait(), BrokenBarrier);
  action.may_end.release();
  EXPECT_EQ(last.broken(), 1U) << "its round did not succeed";
  EXPECT_TRUE(barrier.broken());
  barrier.reset();
  expect_at_rest(barrier);
}

TEST(Barrier, ResetWhileTheActionRunsFreesTheWaitersAndHoldsTheNextRoundBack) {
  SlowAction action;
  Barrier barrier(2, action.function());
  Team waiting(barrier, 1);
  ASSERT_TRUE(eventually([&] { return barrier.n_waiting() == 1; }));
  Team last(barrier, 1);
  action.begun.acquire();
  barrier.reset();
  EXPECT_FALSE(barrier.broken());
  EXPECT_EQ(waiting.broken(), 1U);
  Team next(barrier, 2);
  ASSERT_TRUE(eventually_waiting(barrier, 2));
  EXPECT_EQ(barrier.n_waiting(), 0U) << "the next round has not begun";
  EXPECT_EQ(action.runs, 1);
  action.may_end.release();
  EXPECT_EQ(last.broken(), 1U);
  action.begun.acquire();
  action.may_end.release();
  EXPECT_EQ(next.results(), upto(2));
  EXPECT_EQ(action.runs, 2);
  expect_at_rest(barrier);
}

TEST(Barrier, ATimeoutWhileTheActionRunsBreaksTheRound) {
  SlowAction action;
  Barrier barrier(2, action.function());
  Team impatient(barrier, 1, Until(20ms));
  ASSERT_TRUE(eventually([&] { return barrier.n_waiting() == 1 || barrier.broken(); }));
  Team last(barrier, 1);
  EXPECT_EQ(impatient.broken(), 1U) << "it does not wait for the action's end";
  EXPECT_TRUE(barrier.broken());
  action.may_end.release();  // if it was still in time to begin
  EXPECT_EQ(last.broken(), 1U);
}

TEST(Barrier, AStopWhileTheActionRunsBreaksTheRound) {
  SlowAction action;
  Barrier barrier(3, action.function());
  std::stop_source source;
  const std::stop_token token = source.get_token();
  Team stopped(barrier, 1, Until(token));
  Team patient(barrier, 1);
  ASSERT_TRUE(eventually([&] { return barrier.n_waiting() == 2; }));
  Team last(barrier, 1);
  action.begun.acquire();
  source.request_stop();
  EXPECT_EQ(stopped.broken(), 1U);
  EXPECT_EQ(patient.broken(), 1U);
  EXPECT_TRUE(barrier.broken());
  action.may_end.release();
  EXPECT_EQ(last.broken(), 1U);
}

TEST(Barrier, WhoComesWhileTheActionRunsBelongsToTheNextRound) {
  SlowAction action;
  Barrier barrier(2, action.function());
  Team round(barrier, 2);
  action.begun.acquire();
  EXPECT_EQ(barrier.n_waiting(), 2U);
  std::atomic<bool> early_is_back{false};
  std::thread early([&] {
    EXPECT_EQ(barrier.wait(), 0U);
    early_is_back = true;
  });
  ASSERT_TRUE(eventually([&] { return waiters(barrier) == 2; })) << "one of each round";
  EXPECT_EQ(barrier.n_waiting(), 2U);
  action.may_end.release();
  EXPECT_EQ(round.results(), upto(2));
  ASSERT_TRUE(eventually([&] { return barrier.n_waiting() == 1; }));
  EXPECT_FALSE(early_is_back);
  action.may_end.release();
  EXPECT_EQ(barrier.wait(), 1U);
  early.join();
  expect_at_rest(barrier);
}

TEST(Barrier, WhoComesWhileTheActionRunsAndGivesUpBreaksTheNextRoundOnly) {
  SlowAction action;
  Barrier barrier(2, action.function());
  Team round(barrier, 2);
  action.begun.acquire();
  Team patient(barrier, 1);
  ASSERT_TRUE(eventually([&] { return waiters(barrier) == 2; })) << "one of each round";
  EXPECT_THROW(barrier.wait(1ms), BrokenBarrier);
  EXPECT_FALSE(barrier.broken()) << "the round with the action goes on";
  EXPECT_EQ(barrier.n_waiting(), 2U);
  action.may_end.release();
  EXPECT_EQ(round.results(), upto(2));
  EXPECT_EQ(patient.broken(), 1U);
  EXPECT_TRUE(barrier.broken());
  EXPECT_THROW(barrier.wait(), BrokenBarrier);
  barrier.reset();
  expect_at_rest(barrier);
}

TEST(Barrier, WhoComesWhileTheActionRunsAndIsStoppedBreaksTheNextRoundOnly) {
  SlowAction action;
  Barrier barrier(2, action.function());
  Team round(barrier, 2);
  action.begun.acquire();
  std::stop_source source;
  const std::stop_token token = source.get_token();
  Team stopped(barrier, 1, Until(token));
  ASSERT_TRUE(eventually([&] { return waiters(barrier) == 2; })) << "one of each round";
  source.request_stop();
  EXPECT_EQ(stopped.broken(), 1U) << "it does not wait for the action's end";
  action.may_end.release();
  EXPECT_EQ(round.results(), upto(2));
  EXPECT_TRUE(barrier.broken());
}

TEST(Barrier, WhoGivesUpWhileTheActionOfABrokenRoundRunsBreaksTheRoundItCameTo) {
  SlowAction action;
  Barrier barrier(2, action.function());
  Team round(barrier, 2);
  action.begun.acquire();
  barrier.reset();
  EXPECT_THROW(barrier.wait(1ms), BrokenBarrier);
  EXPECT_TRUE(barrier.broken());
  action.may_end.release();
  EXPECT_EQ(round.broken(), 2U);
  EXPECT_TRUE(barrier.broken());
}

TEST(Barrier, AResetWhileTheActionRunsForgetsWhoGaveUpBefore) {
  SlowAction action;
  Barrier barrier(2, action.function());
  Team round(barrier, 2);
  action.begun.acquire();
  EXPECT_THROW(barrier.wait(1ms), BrokenBarrier);
  barrier.reset();
  action.may_end.release();
  EXPECT_EQ(round.broken(), 2U);
  expect_at_rest(barrier);
  action.may_end.release();
  Team next(barrier, 2);
  EXPECT_EQ(next.results(), upto(2));
  expect_at_rest(barrier);
}

TEST(Barrier, AnActionThatThrowsAfterAResetLeavesTheNewRoundWhole) {
  std::binary_semaphore begun{0};
  std::binary_semaphore may_end{0};
  bool first = true;
  Barrier barrier(2, [&] {
    if (!first) return;
    first = false;
    begun.release();
    may_end.acquire();
    throw std::runtime_error("too late to matter");
  });
  Team waiting(barrier, 1);
  ASSERT_TRUE(eventually([&] { return barrier.n_waiting() == 1; }));
  std::thread last([&] { EXPECT_THROW(barrier.wait(), std::runtime_error); });
  begun.acquire();
  barrier.reset();
  Team next(barrier, 2);
  may_end.release();
  last.join();
  EXPECT_EQ(waiting.broken(), 1U);
  EXPECT_EQ(next.results(), upto(2));
  expect_at_rest(barrier);
}

// ---- Lifetime

TEST(Barrier, MayBeDestroyedWhenAllHaveReturnedWhileTheAbortIsStillOnItsWayOut) {
  for (int round = 0; round < 1'000; ++round) {
    auto barrier = std::make_unique<Barrier>(2);
    std::thread breaker([b = barrier.get(), round] {
      while (b->n_waiting() == 0) std::this_thread::yield();
      round % 2 == 0 ? b->abort() : b->reset();
    });
    EXPECT_THROW(barrier->wait(), BrokenBarrier);
    barrier.reset();
    breaker.join();
  }
}

TEST(Barrier, ManyThreadsMeetAtOne) {
  constexpr std::size_t n = 200;
  Barrier barrier(n);
  Team team(barrier, n);
  EXPECT_EQ(team.results(), upto(n));
  expect_at_rest(barrier);
}

}  // namespace

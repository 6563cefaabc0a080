#include <conc/errors.hpp>
#include <conc/event.hpp>
#include <conc/future.hpp>
#include <conc/promise.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "gate.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Future;
using conc::Promise;

TEST(Promise, MayBeSetOnce) {
  Promise<int> promise;
  promise.set_result(1);
  EXPECT_THROW(promise.set_result(2), conc::InvalidStateError);
  EXPECT_THROW(promise.set_exception(std::make_exception_ptr(1)), conc::InvalidStateError);
  EXPECT_THROW(static_cast<void>(promise.set_running_or_notify_cancel()), conc::InvalidStateError);
  EXPECT_EQ(promise.future().result(), 1);
}

TEST(Promise, BeginsOnce) {
  Promise<int> promise;
  EXPECT_TRUE(promise.set_running_or_notify_cancel());
  EXPECT_THROW(static_cast<void>(promise.set_running_or_notify_cancel()), conc::InvalidStateError);
}

TEST(Promise, IsToldOfACancellation) {
  Promise<int> promise;
  EXPECT_TRUE(promise.future().cancel());
  EXPECT_FALSE(promise.set_running_or_notify_cancel());
  EXPECT_THROW(promise.set_result(1), conc::InvalidStateError);
}

TEST(Promise, RefusesANullException) {
  Promise<int> promise;
  EXPECT_THROW(promise.set_exception(nullptr), std::invalid_argument);
  EXPECT_FALSE(promise.future().done());
}

struct CopyThrows {
  CopyThrows() = default;
  CopyThrows(const CopyThrows&) { throw std::runtime_error("copy"); }
};

TEST(Promise, IsUnchangedWhenTheValueCannotBeMade) {
  Promise<CopyThrows> promise;
  const CopyThrows value;
  EXPECT_THROW(promise.set_result(value), std::runtime_error);
  EXPECT_FALSE(promise.future().done());
  EXPECT_FALSE(promise.future().running());
  EXPECT_TRUE(promise.set_running_or_notify_cancel());
  EXPECT_THROW(promise.set_result(value), std::runtime_error);
  EXPECT_TRUE(promise.future().running());
  promise.set_exception(std::make_exception_ptr(1));
  EXPECT_THROW(promise.future().result(), int);
}

template <class T, class Value>
concept takes = requires(Promise<T>& promise, Value&& value) {
  promise.set_result(std::forward<Value>(value));
};
template <class T>
concept takes_braces = requires(Promise<T>& promise) {
  promise.set_result({});
};
struct Base {};
struct Derived : Base {};

TEST(Promise, OfAReferenceTakesNothingThatIsGoneAfterTheCall) {
  static_assert(takes<const int&, int&> && takes<const int&, const int&>);
  static_assert(takes<const int&, std::reference_wrapper<int>>);
  static_assert(takes<const Base&, Derived&>);
  static_assert(takes<void (&)(), void (&)()>);
  static_assert(!takes<const int&, int> && !takes<const int&, const int>);
  static_assert(!takes<const Base&, Derived>);
  static_assert(!takes<const int&, long&> && !takes<const std::string&, const char(&)[2]>);
  static_assert(!takes<int&, const int&> && !takes<int&, int>);
  static_assert(!takes_braces<const int&> && takes_braces<int>);
  Promise<const std::string&> promise;
  std::string text = "text";
  promise.set_result(text);
  EXPECT_EQ(&promise.future().result(), &text);
}

struct RefersOrThrows {
  int* to;
  operator int&() const {
    if (to == nullptr) throw std::runtime_error("nothing");
    return *to;
  }
};

TEST(Promise, IsUnchangedWhenTheReferenceCannotBeMade) {
  Promise<int&> promise;
  EXPECT_THROW(promise.set_result(RefersOrThrows{nullptr}), std::runtime_error);
  EXPECT_FALSE(promise.future().done());
  int target = 0;
  promise.set_result(RefersOrThrows{&target});
  EXPECT_EQ(&promise.future().result(), &target);
}

TEST(Promise, ThrowsWhenItWasMovedFrom) {
  Promise<int> promise;
  Promise<int> other(std::move(promise));
  EXPECT_THROW(promise.set_result(1), conc::UsageError);  // NOLINT(bugprone-use-after-move)
  EXPECT_THROW(static_cast<void>(promise.future()), conc::UsageError);
  other.set_result(2);
  EXPECT_EQ(other.future().result(), 2);
}

TEST(Promise, OnlyOneOfManySettersWins) {
  for (int round = 0; round < 200; ++round) {
    Promise<int> promise;
    std::atomic<int> won = 0;
    conc::test::together(3, [&](std::size_t i) {
      try {
        promise.set_result(static_cast<int>(i));
        ++won;
      } catch (const conc::InvalidStateError&) {
      }
    });
    EXPECT_EQ(won, 1);
    EXPECT_TRUE(promise.future().done());
  }
}

TEST(Promise, MayBeDestroyedByWhoeverSeesTheResult) {
  for (int round = 0; round < 300; ++round) {
    auto promise = std::make_unique<Promise<int>>();
    Promise<int>* const on_the_other_side = promise.get();
    auto future = promise->future();
    conc::Event called;
    future.add_done_callback([&called](const Future<int>&) { called.set(); });
    conc::test::together(2, [&](std::size_t i) {
      if (i == 0) {
        on_the_other_side->set_result(1);
      } else {
        future.wait();
        future = {};
        promise.reset();
      }
    });
    called.wait();
  }
}

}  // namespace

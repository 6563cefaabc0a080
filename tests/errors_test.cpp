#include <conc/errors.hpp>

#include <gtest/gtest.h>

#include <concepts>
#include <stdexcept>

namespace {

using namespace conc;

template <class E>
class WorldErrors : public testing::Test {};
using WorldErrorTypes =
    testing::Types<TimeoutError, Stopped, Empty, Full, ShutDown, BrokenBarrier, CancelledError,
                   BrokenPromise, BrokenExecutor, DeadlockError>;
TYPED_TEST_SUITE(WorldErrors, WorldErrorTypes);

TYPED_TEST(WorldErrors, AreCaughtAsErrorAndKeepTheirMessage) {
  try {
    throw TypeParam("what was expected");
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "what was expected");
    EXPECT_NE(dynamic_cast<const TypeParam*>(&error), nullptr);
  }
}

TYPED_TEST(WorldErrors, AreNotTheProgramsFault) {
  static_assert(std::derived_from<TypeParam, std::runtime_error>);
  static_assert(!std::derived_from<TypeParam, UsageError>);
}

TEST(Errors, MisuseIsALogicErrorAndNoError) {
  static_assert(std::derived_from<UsageError, std::logic_error>);
  static_assert(std::derived_from<InvalidStateError, UsageError>);
  static_assert(!std::derived_from<UsageError, Error>);
  EXPECT_THROW(throw InvalidStateError("set twice"), UsageError);
}

}  // namespace

#include <conc/hooks.hpp>

#include <gtest/gtest.h>

#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using conc::Report;

struct Kept {
  std::string channel;
  std::string message;
  std::exception_ptr exception;
};
std::vector<Kept> kept;

void keep(const Report& news) {
  kept.push_back({std::string(news.channel), std::string(news.message), news.exception});
}

class Hooks : public testing::Test {
 protected:
  void SetUp() override { kept.clear(); }
  void TearDown() override { conc::set_report_hook(nullptr); }
};

std::exception_ptr made(auto error) { return std::make_exception_ptr(error); }

TEST_F(Hooks, ReportGoesToTheHookAsItIs) {
  EXPECT_EQ(conc::set_report_hook(keep), nullptr);
  const auto error = made(std::runtime_error("lost"));
  conc::report({"conc.future", conc::Severity::error, "a callback threw", error});
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].channel, "conc.future");
  EXPECT_EQ(kept[0].message, "a callback threw");
  EXPECT_EQ(kept[0].exception, error);
  EXPECT_EQ(conc::set_report_hook(nullptr), &keep) << "the hook before is returned";
}

TEST_F(Hooks, ReportWithoutAHookIsOneLineOnStderr) {
  testing::internal::CaptureStderr();
  conc::report({"conc.thread", conc::Severity::error, "thread \"w1\" ended with an exception",
                made(std::runtime_error("lost"))});
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "conc.thread: thread \"w1\" ended with an exception: std::runtime_error: lost\n");
}

TEST_F(Hooks, OneLineGoesOnBehindASentence) {
  testing::internal::CaptureStderr();
  conc::report({"conc.thread", conc::Severity::error, "It ended.", made(std::runtime_error("x"))});
  conc::report({"conc.thread", conc::Severity::error, "It ended.", nullptr});
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "conc.thread: It ended: std::runtime_error: x\nconc.thread: It ended.\n");
}

TEST_F(Hooks, HookThatThrowsLosesNeitherReport) {
  conc::set_report_hook([](const Report&) { throw std::runtime_error("hook broke"); });
  testing::internal::CaptureStderr();
  conc::report({"conc.thread", conc::Severity::error, "news", nullptr});
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("conc.thread: news\n"), std::string::npos) << text;
  EXPECT_NE(text.find("hook broke"), std::string::npos) << text;
}

TEST_F(Hooks, DescribeNamesTypeAndMessage) {
  EXPECT_EQ(conc::describe(nullptr), "");
  EXPECT_EQ(conc::describe(made(std::out_of_range("7 of 3"))), "std::out_of_range: 7 of 3");
}

TEST_F(Hooks, DescribeFollowsNestedExceptions) {
  std::exception_ptr nested;
  try {
    try {
      throw std::runtime_error("disk full");
    } catch (...) {
      std::throw_with_nested(std::logic_error("cannot save"));
    }
  } catch (...) {
    nested = std::current_exception();
  }
  const std::string text = conc::describe(nested);
  EXPECT_NE(text.find("cannot save"), std::string::npos) << text;
  EXPECT_NE(text.find("caused by std::runtime_error: disk full"), std::string::npos) << text;
}

TEST_F(Hooks, DescribeFollowsWhatIsNestedInNoStdException) {
  struct Outer {};
  const auto nested = [](auto outer) -> std::string {
    try {
      try {
        throw std::runtime_error("disk full");
      } catch (...) {
        std::throw_with_nested(outer);
      }
    } catch (...) {
      return conc::describe(std::current_exception());
    }
  };
  const std::string text = nested(Outer());
  EXPECT_NE(text.find("Outer"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("; caused by std::runtime_error: disk full")) << text;
  EXPECT_EQ(nested(std::logic_error("outer")),
            "std::logic_error: outer; caused by std::runtime_error: disk full");
}

TEST_F(Hooks, DescribeCopesWithWhatIsNoException) { EXPECT_EQ(conc::describe(made(42)), "int"); }

}  // namespace

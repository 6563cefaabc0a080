#include <conc/excepthook.hpp>
#include <conc/hooks.hpp>
#include <conc/thread.hpp>

#include <gtest/gtest.h>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "allocations.hpp"

namespace {

using conc::Thread;

std::vector<std::string> reports;  // read when the thread that wrote was joined

class Excepthook : public ::testing::Test {
 protected:
  Excepthook() {
    reports.clear();
    conc::set_report_hook([](const conc::Report& news) {
      reports.push_back(std::string(news.message) + " " + conc::describe(news.exception));
    });
  }
  ~Excepthook() override {
    conc::set_excepthook({});
    conc::set_report_hook(nullptr);
  }

  static void run_a_thread_that_throws() {
    Thread thread({.name = "w1"}, [] { throw std::runtime_error("lost"); });
    thread.start();
    thread.join();
  }
};

TEST_F(Excepthook, GetsTheThreadAndTheExceptionInsteadOfAReport) {
  std::string name;
  std::string what;
  conc::set_excepthook([&](const conc::ThreadException& escaped) {
    name = escaped.thread.name;
    what = conc::describe(escaped.exception);
    EXPECT_EQ(escaped.thread.ident, conc::get_ident()) << "called by the thread itself";
  });
  run_a_thread_that_throws();
  EXPECT_EQ(name, "w1");
  EXPECT_EQ(what, "std::runtime_error: lost");
  EXPECT_TRUE(reports.empty());
}

TEST_F(Excepthook, AnEmptyOneBringsTheReportBack) {
  conc::set_excepthook([](const conc::ThreadException&) { FAIL(); });
  conc::set_excepthook({});
  run_a_thread_that_throws();
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0], "conc::Thread \"w1\" was ended by an exception. std::runtime_error: lost");
}

// With no memory for the name.
TEST_F(Excepthook, WithoutMemoryTheExceptionIsReportedStill) {
  static constinit char message[64] = {};
  conc::set_report_hook([](const conc::Report& news) {
    message[news.message.copy(message, sizeof message - 1)] = '\0';
    conc::test::out_of_memory = false;
  });
  Thread thread({.name = "w1"}, [lost = std::make_exception_ptr(std::runtime_error("lost"))] {
    conc::test::out_of_memory = true;
    std::rethrow_exception(lost);
  });
  thread.start();
  thread.join();
  EXPECT_STREQ(message, "was ended by an exception");
}

TEST_F(Excepthook, WhatItThrowsIsReportedAndWhatItWasCalledForAsWell) {
  conc::set_excepthook([](const conc::ThreadException&) { throw std::logic_error("hook"); });
  run_a_thread_that_throws();
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0], "the excepthook threw std::logic_error: hook");
  EXPECT_EQ(reports[1], "conc::Thread \"w1\" was ended by an exception. std::runtime_error: lost");
}

TEST_F(Excepthook, IsDestroyedWhenAnotherIsSet) {
  auto held = std::make_shared<int>();
  conc::set_excepthook([held](const conc::ThreadException&) {});
  EXPECT_EQ(held.use_count(), 2);
  conc::set_excepthook({});
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace

#include <conc/logging/basic_config.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "logging_files.hpp"

namespace conc::test {
namespace {

using logging::basic_config;
using logging::get_logger;
using logging::Level;

class BasicConfigTest : public LoggingTest {};

TEST_F(BasicConfigTest, ByDefaultWritesToStderrInPythonsFormat) {
  ::testing::internal::CaptureStderr();
  basic_config({});
  get_logger().warning("watch out");
  get_logger("a.b").error("oh");
  get_logger("a.b").info("below the level");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "WARNING:root:watch out\nERROR:a.b:oh\n");
  EXPECT_EQ(get_logger().handlers().size(), 1u);
}

TEST_F(BasicConfigTest, TakesLevelFormatDatefmtStyleAndStream) {
  std::ostringstream stream;
  basic_config({.level = Level::debug,
                .format = "{asctime} {levelname:<8}|{message}",
                .datefmt = "(time)",
                .style = logging::Style::brace,
                .stream = &stream});
  get_logger("a").debug("hello");
  EXPECT_EQ(stream.str(), "(time) DEBUG   |hello\n");
  EXPECT_EQ(get_logger().level(), Level::debug);
}

TEST_F(BasicConfigTest, BraceStyleHasADefaultFormatToo) {
  std::ostringstream stream;
  basic_config({.style = logging::Style::brace, .stream = &stream});
  get_logger("a").warning("hello");
  EXPECT_EQ(stream.str(), "WARNING:a:hello\n");
}

TEST_F(BasicConfigTest, WithFilenameWritesToTheFileAndNotToStderr) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("conc-basic-config-" + std::to_string(::getpid()) + ".log");
  ::testing::internal::CaptureStderr();
  basic_config({.filename = path, .filemode = logging::FileMode::truncate});
  get_logger().warning("into the file");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(std::filesystem::file_size(path), std::string("WARNING:root:into the file\n").size());
  EXPECT_EQ(get_logger().handlers().size(), 1u);
  std::filesystem::remove(path);
}

TEST_F(BasicConfigTest, DoesNothingWhenTheRootHasAHandler) {
  const auto kept = keep(get_logger());
  basic_config({.level = Level::debug, .format = "%(name)s"});
  EXPECT_EQ(get_logger().level(), Level::warning);
  EXPECT_EQ(get_logger().handlers().size(), 1u);
  EXPECT_EQ(kept->formatter(), nullptr);
}

TEST_F(BasicConfigTest, ForceTakesTheOldHandlersAwayAndClosesThem) {
  struct Closing : logging::Handler {
    void emit(const logging::LogRecord&, std::string_view) override {}
    void on_close() override { closed = true; }
    std::atomic<bool> closed{false};
  };
  const auto old = std::make_shared<Closing>();
  get_logger().add_handler(old);
  std::ostringstream stream;
  basic_config({.stream = &stream, .force = true});
  EXPECT_TRUE(old->closed);
  EXPECT_EQ(old.use_count(), 1);
  get_logger().warning("w");
  EXPECT_EQ(stream.str(), "WARNING:root:w\n");
}

class BasicConfigFileTest : public LoggingFileTest {};

TEST_F(BasicConfigFileTest, LinesHeldBackForAFileThatIsTruncatedAreNotInTheNewOne) {
  const logging::BasicConfig config{.level = Level::info,
                                    .format = "%(message)s",
                                    .filename = file(),
                                    .filemode = logging::FileMode::truncate,
                                    .force = true};
  basic_config(config);
  get_logger().info("old");
  basic_config(config);
  get_logger().info("new");
  get_logger().handlers().at(0)->flush();
  EXPECT_EQ(content(file()), "new\n");
}

TEST_F(BasicConfigFileTest, HandlerThatCannotBeFlushedIsReplacedAllTheSame) {
  struct Stuck : logging::Handler {
    void emit(const logging::LogRecord&, std::string_view) override {}
    void on_flush() override { throw std::runtime_error("stuck"); }
  };
  get_logger().add_handler(std::make_shared<Stuck>());
  ::testing::internal::CaptureStderr();
  basic_config({.filename = file(), .filemode = logging::FileMode::truncate, .force = true});
  const std::string report = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(report.find("could not be flushed: std::runtime_error: stuck"), std::string::npos);
  get_logger().warning("w");
  EXPECT_EQ(content(file()), "WARNING:root:w\n");
}

TEST_F(BasicConfigFileTest, ThreadsThatConfigureAtOnceDoNotTruncateEachOthersLines) {
  for (int round = 0; round < 50; ++round) {
    std::barrier gate(4);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        gate.arrive_and_wait();
        basic_config(
            {.format = "%(message)s", .filename = file(), .filemode = logging::FileMode::truncate});
        get_logger().error("line");
      });
    }
    for (auto& thread : threads) thread.join();
    ASSERT_EQ(content(file()), "line\nline\nline\nline\n");
    reset();
  }
}

TEST_F(BasicConfigTest, HandlersBehindOneThatCannotBeClosedAreClosedAllTheSame) {
  struct Closing : logging::Handler {
    explicit Closing(bool bad) : bad_(bad) {}
    void emit(const logging::LogRecord&, std::string_view) override {}
    void on_close() override {
      closed = true;
      if (bad_) throw std::runtime_error("bad");
    }
    std::string description() const override {
      if (bad_) throw std::runtime_error("no description");
      return "good";
    }
    bool closed = false;
    const bool bad_;
  };
  const auto bad = std::make_shared<Closing>(true);
  const auto good = std::make_shared<Closing>(false);
  get_logger().add_handler(bad);
  get_logger().add_handler(good);
  std::ostringstream stream;
  ::testing::internal::CaptureStderr();
  basic_config({.stream = &stream, .force = true});
  const std::string report = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(good->closed);
  EXPECT_NE(report.find("a handler could not be closed: std::runtime_error: bad"),
            std::string::npos);

  get_logger().add_handler(good);
  get_logger().add_handler(bad);
  good->closed = false;
  ::testing::internal::CaptureStderr();
  logging::shutdown();
  ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(good->closed);
}

TEST_F(BasicConfigTest, GivenHandlersGetTheFormatterUnlessTheyHaveOne) {
  const auto plain = std::make_shared<KeepingHandler>();
  const auto dressed = std::make_shared<KeepingHandler>();
  dressed->set_formatter(std::make_shared<logging::Formatter>("own %(message)s"));
  basic_config({.format = "basic %(message)s", .handlers = {plain, dressed}});
  get_logger().warning("w");
  EXPECT_EQ(plain->lines(), (Lines{"basic w"}));
  EXPECT_EQ(dressed->lines(), (Lines{"own w"}));
}

TEST_F(BasicConfigTest, ContradictionsAreRefused) {
  std::ostringstream stream;
  const auto handler = std::make_shared<KeepingHandler>();
  EXPECT_THROW(basic_config({.filename = "x.log", .stream = &stream}), std::invalid_argument);
  EXPECT_THROW(basic_config({.stream = &stream, .handlers = {handler}}), std::invalid_argument);
  EXPECT_THROW(basic_config({.filename = "x.log", .handlers = {handler}}), std::invalid_argument);
  EXPECT_THROW(basic_config({.handlers = {handler, nullptr}}), std::invalid_argument);
  EXPECT_FALSE(std::filesystem::exists("x.log"));
}

TEST_F(BasicConfigTest, WhatThrowsLeavesTheRootAsItWas) {
  const auto kept = keep(get_logger());
  EXPECT_THROW(basic_config({.level = Level::debug, .format = "%(no)s", .force = true}),
               std::invalid_argument);
  EXPECT_THROW(basic_config({.level = Level::debug, .filename = "/missing/x.log", .force = true}),
               std::system_error);
  EXPECT_EQ(get_logger().level(), Level::warning);
  get_logger().warning("w");
  EXPECT_EQ(kept->lines(), (Lines{"w"}));
}

TEST_F(BasicConfigTest, ForceLeavesNoMomentWithoutHandlers) {
  const auto first = keep(get_logger());
  const auto second = std::make_shared<KeepingHandler>();
  std::atomic<bool> done{false};
  std::size_t sent = 0;
  std::thread writer([&] {
    for (; !done; ++sent) get_logger().error("not to be lost");
  });
  for (int i = 0; i != 1000; ++i) {
    basic_config({.handlers = {second}, .force = true});
    basic_config({.handlers = {first}, .force = true});
  }
  done = true;
  writer.join();
  EXPECT_EQ(first->lines().size() + second->lines().size(), sent);
}

TEST_F(BasicConfigTest, ModuleCallsConfigureARootWithoutHandlers) {
  ::testing::internal::CaptureStderr();
  logging::info("below the level");
  EXPECT_EQ(get_logger().handlers().size(), 1u);
  logging::warning("{}", 1);
  logging::error("{}", 2);
  logging::critical("{}", 3);
  logging::log(Level::error, "{}", 4);
  try {
    throw std::runtime_error("why");
  } catch (...) {
    logging::exception("{}", 5);
  }
  logging::debug("below the level");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "WARNING:root:1\nERROR:root:2\nCRITICAL:root:3\nERROR:root:4\n"
            "ERROR:root:5\nstd::runtime_error: why\n");
  EXPECT_EQ(get_logger().handlers().size(), 1u);
}

TEST_F(BasicConfigTest, ModuleCallPutsAHandlerBackWhenAllWereTakenAway) {
  ::testing::internal::CaptureStderr();
  logging::warning("one");
  for (const auto& handler : get_logger().handlers()) get_logger().remove_handler(handler);
  EXPECT_FALSE(get_logger().has_handlers());
  logging::info("two");
  EXPECT_TRUE(get_logger().has_handlers());
  ::testing::internal::GetCapturedStderr();
}

TEST_F(BasicConfigTest, ModuleCallLeavesAConfiguredRootAlone) {
  const auto kept = keep(get_logger());
  logging::warning("w");
  EXPECT_EQ(kept->lines(), (Lines{"w"}));
  EXPECT_EQ(get_logger().handlers().size(), 1u);
}

TEST_F(BasicConfigTest, OfThreadsThatConfigureAtOnceOneDoes) {
  ::testing::internal::CaptureStderr();
  for (int round = 0; round < 20; ++round) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) threads.emplace_back([] { logging::info("no"); });
    for (auto& thread : threads) thread.join();
    ASSERT_EQ(get_logger().handlers().size(), 1u);
    reset();
  }
  ::testing::internal::GetCapturedStderr();
}

}  // namespace
}  // namespace conc::test

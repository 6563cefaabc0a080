// dict_config(): what a right configuration does.
#include <conc/logging/config.hpp>
#include <conc/thread_info.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <typeinfo>
#include <vector>

#include "child.hpp"
#include "eventually.hpp"
#include "forked.hpp"
#include "logging_files.hpp"

namespace {

using namespace conc::test;
using logging::Level;

class LoggingConfigTest : public LoggingFileTest {
 protected:
  void TearDown() override {
    logging::dict_config(R"({"version": 1, "disable_existing_loggers": false})");
    LoggingFileTest::TearDown();
  }

  // The text with '@' for the test's directory and version 1 in it.
  void configure(std::string parts) const {
    for (std::size_t at = 0; (at = parts.find('@', at)) != std::string::npos;) {
      parts.replace(at, 1, directory_.string() + "/");
    }
    logging::dict_config(R"({"version": 1, )" + parts + "}");
  }

  static logging::Logger& log(const char* name = "") { return logging::get_logger(name); }

  static std::string tree() {
    std::ostringstream text;
    logging::logging_tree(text);
    return text.str();
  }
};

TEST_F(LoggingConfigTest, RootGetsItsHandlersInPlaceOfThoseItHad) {
  const auto before = keep(log());
  configure(R"(
    "formatters": {"line": {"format": "%(levelname)s %(message)s"},
                   "brace": {"format": "{levelname:<8}{message}", "style": "{"}},
    "handlers": {
      "file": {"class": "FileHandler", "filename": "@a.log", "formatter": "line"},
      "loud": {"class": "logging.FileHandler", "filename": "@b.log", "formatter": "brace",
               "level": "ERROR"}},
    "root": {"level": "INFO", "handlers": ["file", "loud"]})");
  log().debug("no");
  log().info("one");
  log().error("two");
  EXPECT_EQ(content(file("a.log")), "INFO one\nERROR two\n");
  EXPECT_EQ(content(file("b.log")), "ERROR   two\n");
  EXPECT_EQ(before->lines(), Lines());
}

TEST_F(LoggingConfigTest, EveryClassOfHandlersIsMadeByItsOwnNameAndByPythons) {
  for (const std::string base : {"", "logging."}) {
    const std::string more = base.empty() ? "" : base + "handlers.";
    const auto make = [&](const std::string& name) { return "\"" + base + name + "\""; };
    const auto make_more = [&](const std::string& name) { return "\"" + more + name + "\""; };
    configure(
        R"("handlers": {
      "a": {"class": )" +
        make("StreamHandler") + R"(, "stream": "ext://sys.stdout",
            "colour": "never"},
      "b": {"class": )" +
        make("FileHandler") + R"(, "filename": "@b", "mode": "w",
            "encoding": "utf-8", "delay": true},
      "c": {"class": )" +
        make_more("WatchedFileHandler") + R"(, "filename": "@c"},
      "d": {"class": )" +
        make_more("RotatingFileHandler") + R"(, "filename": "@d",
            "maxBytes": 100, "backupCount": 2, "mode": "a"},
      "e": {"class": )" +
        make_more("TimedRotatingFileHandler") + R"(, "filename": "@e",
            "when": "midnight", "interval": 2, "backupCount": 3, "utc": true},
      "f": {"class": )" +
        make_more("MemoryHandler") + R"(, "capacity": 7, "target": "a",
            "flushLevel": 35, "flushOnClose": false},
      "g": {"class": )" +
        make_more("QueueHandler") + R"(, "handlers": ["b"],
            "queue": {"maxsize": 3}, "overflow": "drop_oldest", "respect_handler_level": true,
            "listener": "logging.handlers.QueueListener"},
      "h": {"class": )" +
        make_more("SysLogHandler") + R"(, "address": ["127.0.0.1", 9],
            "facility": "local7", "ident": "me: ", "append_nul": false},
      "i": {"class": )" +
        make_more("SocketHandler") + R"(, "host": "127.0.0.1", "port": 9},
      "j": {"class": )" +
        make("NullHandler") + R"(},
      "k": {"class": )" +
        make("StreamHandler") + R"(, "level": null}},
      "loggers": {"classes": {"handlers":
        ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]}})");
    const auto handlers = log("classes").handlers();
    ASSERT_EQ(handlers.size(), 11u);
    const std::string in = directory_.string() + "/";
    EXPECT_EQ(handlers[0]->description(), "StreamHandler stdout");
    EXPECT_EQ(handlers[1]->description(), "FileHandler \"" + in + "b\"");
    EXPECT_EQ(handlers[2]->description(), "WatchedFileHandler \"" + in + "c\"");
    EXPECT_EQ(handlers[3]->description(), "RotatingFileHandler \"" + in + "d\"");
    EXPECT_EQ(handlers[4]->description(), "TimedRotatingFileHandler \"" + in + "e\"");
    const auto memory = std::dynamic_pointer_cast<logging::MemoryHandler>(handlers[5]);
    ASSERT_NE(memory, nullptr);
    EXPECT_EQ(memory->capacity(), 7u);
    EXPECT_EQ(memory->target(), handlers[0]);
    const auto queue = std::dynamic_pointer_cast<logging::QueueHandler>(handlers[6]);
    ASSERT_NE(queue, nullptr);
    EXPECT_EQ(queue->queue()->maxsize(), 3u);
    EXPECT_EQ(queue->overflow(), logging::Overflow::drop_oldest);
    EXPECT_EQ(handlers[7]->description(), "SysLogHandler \"127.0.0.1:9\"");
    EXPECT_NE(std::dynamic_pointer_cast<logging::SocketHandler>(handlers[8]), nullptr);
    EXPECT_NE(std::dynamic_pointer_cast<logging::NullHandler>(handlers[9]), nullptr);
    EXPECT_EQ(handlers[10]->description(), "StreamHandler stderr");
    // Opened, but for the one that is to wait for a record.
    EXPECT_EQ(files(), (std::set<std::string>{"c", "d", "e"}));
  }
}

TEST_F(LoggingConfigTest, FilesAreTruncatedOrAppendedToOrRotated) {
  for (const char* name : {"a", "w", "r"}) write(file(name), "old\n");
  configure(R"("handlers": {
      "a": {"class": "FileHandler", "filename": "@a"},
      "w": {"class": "FileHandler", "filename": "@w", "mode": "w"},
      "r": {"class": "RotatingFileHandler", "filename": "@r", "maxBytes": 6, "backupCount": 1}},
    "root": {"handlers": ["a", "w", "r"]})");
  EXPECT_EQ(content(file("w")), "");
  log().error("new");
  EXPECT_EQ(content(file("a")), "old\nnew\n");
  EXPECT_EQ(content(file("w")), "new\n");
  EXPECT_EQ(content(file("r")), "new\n");
  EXPECT_EQ(content(file("r.1")), "old\n");
}

TEST_F(LoggingConfigTest, LinesHeldBackForAFileThatIsTruncatedAreNotInTheNewOne) {
  const char* const with_file = R"("handlers": {
      "file": {"class": "FileHandler", "filename": "@a", "mode": "w"}},
    "root": {"level": "INFO", "handlers": ["file"]})";
  const char* const with_queue = R"("handlers": {
      "file": {"class": "FileHandler", "filename": "@a", "mode": "w"},
      "q": {"class": "QueueHandler", "handlers": ["file"]}},
    "root": {"level": "INFO", "handlers": ["q"]})";
  for (const char* const before : {with_file, with_queue}) {
    configure(before);
    log().info("old");
    configure(with_file);
    log().info("new");
    log().handlers().at(0)->flush();
    EXPECT_EQ(content(file("a")), "new\n");
  }
}

TEST_F(LoggingConfigTest, FormattersMayBeJsonAndMakeControlsVisible) {
  configure(R"("formatters": {"json": {"class": "JsonFormatter"},
      "safe": {"controls": "escape", "format": "%(asctime)s %(message)s", "datefmt": "day"}},
    "handlers": {"j": {"class": "FileHandler", "filename": "@j", "formatter": "json"},
                 "s": {"class": "FileHandler", "filename": "@s", "formatter": "safe"}},
    "root": {"handlers": ["j", "s"]})");
  log().error("a\nb");
  EXPECT_NE(content(file("j")).find(R"("message":"a\nb")"), std::string::npos);
  EXPECT_EQ(content(file("s")), "day a\\nb\n");
}

TEST_F(LoggingConfigTest, FiltersStandOnHandlersAndLoggers) {
  configure(R"("filters": {"shop": {"name": "filters.shop"}},
    "handlers": {"all": {"class": "FileHandler", "filename": "@all"},
                 "shop": {"class": "FileHandler", "filename": "@shop", "filters": ["shop"]}},
    "loggers": {"filters": {"handlers": ["all", "shop"], "filters": ["shop"]}})");
  log("filters").error("stopped by the logger's own filter");
  log("filters.shop.x").error("in");
  log("filters.other").error("out");
  EXPECT_EQ(content(file("all")), "in\nout\n");
  EXPECT_EQ(content(file("shop")), "in\n");
  // A later configuration takes the filters of this one away, and no others.
  const auto own = std::make_shared<logging::Filter>("filters");
  log("filters").add_filter(own);
  configure(R"("handlers": {"all": {"class": "FileHandler", "filename": "@all"}},
    "loggers": {"filters": {"handlers": ["all"]}})");
  log("filters").error("free");
  EXPECT_EQ(content(file("all")), "in\nout\nfree\n");
  log("filters").remove_filter(own);
}

// A filter of the program's may do in its destructor what it likes, and so may its thread.
TEST_F(LoggingConfigTest, FiltersGoWithoutTheLockOfConfigurations) {
  static std::atomic<bool> free{false};
  static std::thread other;
  logging::add_filter_class("test.Going", [](logging::ConfigSection&) {
    struct Configures {
      ~Configures() {
        other = std::thread([] {
          logging::basic_config({});
          free = true;
        });
        EXPECT_TRUE(eventually([] { return free.load(); }));
      }
    };
    return std::make_shared<logging::Filter>(
        [guard = std::make_shared<Configures>()](const logging::LogRecord&) { return true; });
  });
  const auto handler = keep(log());
  configure(
      R"("filters": {"g": {"class": "test.Going"}}, "loggers": {"going": {"filters": ["g"]}})");
  EXPECT_FALSE(other.joinable());
  configure(R"("loggers": {"going": {}})");
  ASSERT_TRUE(other.joinable());
  other.join();
}

TEST_F(LoggingConfigTest, LoggersThatAreMadeLaterFindTheirSettings) {
  configure(R"("handlers":
    {"h": {"class": "FileHandler", "filename": "@a", "flush": "every_record"}},
    "loggers": {"later.db": {"level": "DEBUG", "handlers": ["h"], "propagate": false}})");
  const auto root = keep(log());
  EXPECT_EQ(log("later.db").level(), Level::debug);
  log("later.db.pool").debug("made later");
  EXPECT_EQ(log("later.db.pool").effective_level(), Level::debug);
  EXPECT_EQ(content(file("a")), "made later\n");
  EXPECT_EQ(root->lines(), Lines());
}

TEST_F(LoggingConfigTest, NamedLoggersAreEnabledAndKeepWhatTheyAreNotGiven) {
  log("keeps").set_level(Level::error);
  log("keeps").set_propagate(false);
  log("keeps").set_disabled(true);
  const auto handler = keep(log("keeps"));
  configure(R"("loggers": {"keeps": {}})");
  EXPECT_EQ(log("keeps").level(), Level::error);
  EXPECT_FALSE(log("keeps").propagate());
  EXPECT_FALSE(log("keeps").disabled());
  EXPECT_TRUE(log("keeps").handlers().empty());
}

TEST_F(LoggingConfigTest, RootIsLeftAloneUnlessItIsNamed) {
  const auto handler = keep(log());
  log().set_level(Level::debug);
  configure(R"("loggers": {"any": {}})");
  EXPECT_EQ(log().handlers().size(), 1u);
  EXPECT_EQ(log().level(), Level::debug);
  configure(R"("loggers": {"": {"level": "ERROR"}})");
  EXPECT_TRUE(log().handlers().empty());
  EXPECT_EQ(log().level(), Level::error);
}

// ---- Loggers that it does not name

TEST_F(LoggingConfigTest, OthersAreDisabledUnlessItSaysOtherwise) {
  log("existing");
  configure(R"("loggers": {"other": {}})");
  EXPECT_TRUE(log("existing").disabled());
  static int times = 0;  // a new name, however often the test is run
  EXPECT_FALSE(log(("made.after" + std::to_string(++times)).c_str()).disabled());
  configure(R"("disable_existing_loggers": true)");
  EXPECT_TRUE(log("existing").disabled());
  EXPECT_TRUE(log("other").disabled());
  configure(R"("disable_existing_loggers": false)");
  EXPECT_FALSE(log("existing").disabled());
}

TEST_F(LoggingConfigTest, ThoseBelowANamedOneBecomeAsNew) {
  auto& below = log("named.below");
  const auto handler = keep(below);
  below.set_level(Level::error);
  below.set_propagate(false);
  const auto beside = keep(log("namedbeside"));
  configure(R"("loggers": {"named": {}})");
  EXPECT_FALSE(below.disabled());
  EXPECT_EQ(below.level(), Level::notset);
  EXPECT_TRUE(below.propagate());
  EXPECT_TRUE(below.handlers().empty());
  EXPECT_TRUE(log("namedbeside").disabled());
  EXPECT_EQ(log("namedbeside").handlers().size(), 1u);
}

// The root is above all, so nothing is said by naming it; its name is not part of theirs.
TEST_F(LoggingConfigTest, NoLoggerIsBelowTheRootByItsName) {
  auto& like_below = log("root.x");
  const auto handler = keep(like_below);
  for (const char* const root : {R"("root": {})", R"("loggers": {"": {}})"}) {
    like_below.set_disabled(false);
    configure(root);
    EXPECT_TRUE(like_below.disabled()) << root;
    EXPECT_EQ(like_below.handlers().size(), 1u) << root;
  }
  configure(R"("loggers": {"root.x": {}}, "root": {})");
  EXPECT_FALSE(like_below.disabled());
}

TEST_F(LoggingConfigTest, TheLibrarysOwnReportsAreNotSilenced) {
  log("conc.deadlock");
  log("concert");
  configure(R"("root": {})");
  EXPECT_FALSE(log("conc.deadlock").disabled());
  EXPECT_TRUE(log("concert").disabled());
}

TEST_F(LoggingConfigTest, HandlersThatNoLoggerHasAnyMoreAreClosed) {
  class Closing : public logging::Handler {
   public:
    int closed = 0;

   private:
    void emit(const logging::LogRecord&, std::string_view) override {}
    void on_close() override { ++closed; }
  };
  const auto gone = std::make_shared<Closing>();
  const auto kept = std::make_shared<Closing>();
  log("closes").add_handler(gone);
  log("closes").add_handler(kept);
  log("closes.not").add_handler(gone);
  log("stays").add_handler(kept);
  configure(R"("loggers": {"closes": {}}, "disable_existing_loggers": false)");
  EXPECT_EQ(gone->closed, 1);
  EXPECT_EQ(kept->closed, 0);
}

// ---- incremental

TEST_F(LoggingConfigTest, IncrementalChangesLevelsAndPropagateAlone) {
  configure(R"("handlers": {"h": {"class": "FileHandler", "filename": "@a", "level": "ERROR"}},
    "loggers": {"inc": {"level": "DEBUG", "handlers": ["h"], "propagate": false}},
    "root": {"level": "ERROR"})");
  log("bystander").set_disabled(false);
  const auto handlers = log("inc").handlers();
  configure(R"("incremental": true,
    "formatters": {"not looked at": 1}, "filters": [],
    "handlers": {"h": {"level": "INFO", "class": "not looked at"}},
    "loggers": {"inc": {"level": "WARNING", "propagate": true, "handlers": ["not looked at"]}},
    "root": {"level": "CRITICAL"})");
  EXPECT_EQ(log("inc").handlers(), handlers);
  EXPECT_EQ(handlers[0]->level(), Level::info);
  EXPECT_EQ(log("inc").level(), Level::warning);
  EXPECT_TRUE(log("inc").propagate());
  EXPECT_EQ(log().level(), Level::critical);
  EXPECT_FALSE(log("bystander").disabled());
  log("inc").warning("w");
  EXPECT_EQ(content(file("a")), "w\n");
}

// ---- Queues

TEST_F(LoggingConfigTest, QueueHandlerHasAListenerThatRuns) {
  configure(R"("handlers": {
      "all": {"class": "FileHandler", "filename": "@all"},
      "err": {"class": "FileHandler", "filename": "@err", "level": "ERROR"},
      "q": {"class": "QueueHandler", "handlers": ["all", "err"], "respect_handler_level": true}},
    "root": {"level": "INFO", "handlers": ["q"]})");
  log().info("a");
  log().error("b");
  log().handlers()[0]->flush();
  EXPECT_EQ(content(file("all")), "a\nb\n");
  EXPECT_EQ(content(file("err")), "b\n");
}

TEST_F(LoggingConfigTest, WhatIsInTheQueueOfAReplacedHandlerIsHandled) {
  constexpr int records = 1000;
  configure(R"("handlers": {
      "file": {"class": "FileHandler", "filename": "@a"},
      "q": {"class": "QueueHandler", "handlers": ["file"]}},
    "root": {"handlers": ["q"]})");
  for (int i = 0; i != records; ++i) log().error("{}", i);
  configure(R"("root": {})");
  const std::string text = content(file("a"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), records);
  // The listener's thread is gone with it.
  for (const auto& thread : conc::enumerate()) EXPECT_NE(thread.name, "logging.QueueListener");
}

// ---- Classes of the program

TEST_F(LoggingConfigTest, ClassesOfTheProgramAreMadeWithWhatStandsThere) {
  struct Given {
    std::string text;
    std::vector<std::string> texts;
    std::int64_t number = 0;
    bool flag = false;
    std::size_t choice = 9;
    Level level = Level::notset;
    std::shared_ptr<logging::Handler> next;
    std::string inner, any;
  };
  static Given given;
  given = {};
  logging::add_handler_class("test.Own", [](logging::ConfigSection& section) {
    given.text = section.text("text").value_or("");
    given.texts = section.texts("texts");
    given.number = section.number("number").value_or(0);
    given.flag = section.flag("flag").value_or(false);
    given.choice = section.choice("choice", {"a", "b"}).value_or(9);
    given.level = section.level("least").value_or(Level::notset);
    given.next = section.handler("next");
    if (auto inner = section.section("inner")) given.inner = inner->text("x").value_or("");
    given.any = section.json("any").value_or("");
    EXPECT_FALSE(section.text("not there"));
    return std::make_shared<KeepingHandler>();
  });
  logging::add_formatter_class("test.Upper", [](logging::ConfigSection& section) {
    class Upper : public logging::Formatter {
      void format(const logging::LogRecord&, std::string& out) const override { out += "UP"; }
    };
    static_cast<void>(section);
    return std::make_shared<Upper>();
  });
  logging::add_filter_class("test.Word", [](logging::ConfigSection& section) {
    return std::make_shared<logging::Filter>(
        [word = section.text("word").value_or("")](const logging::LogRecord& record) {
          return record.message.find(word) != std::string_view::npos;
        });
  });
  configure(R"-("formatters": {"up": {"()": "test.Upper"}},
    "filters": {"cups": {"class": "test.Word", "word": "cups"}},
    "handlers": {"own": {"class": "test.Own", "formatter": "up", "filters": ["cups"],
        "text": "t", "texts": ["u", "v"], "number": -5, "flag": true, "choice": "b",
        "least": "ERROR", "next": "null", "inner": {"x": "y"}, "any": {"k": [1, null]}},
      "null": {"class": "NullHandler"}},
    "root": {"handlers": ["own"]})-");
  EXPECT_EQ(given.text, "t");
  EXPECT_EQ(given.texts, (std::vector<std::string>{"u", "v"}));
  EXPECT_EQ(given.number, -5);
  EXPECT_TRUE(given.flag);
  EXPECT_EQ(given.choice, 1u);
  EXPECT_EQ(given.level, Level::error);
  EXPECT_NE(given.next, nullptr);
  EXPECT_EQ(given.inner, "y");
  EXPECT_EQ(given.any, R"({"k":[1,null]})");
  given.next.reset();
  log().error("three cups");
  log().error("nothing");
  const auto own = std::dynamic_pointer_cast<KeepingHandler>(log().handlers().at(0));
  ASSERT_NE(own, nullptr);
  EXPECT_EQ(own->lines(), (Lines{"UP"}));
}

TEST_F(LoggingConfigTest, MistakesThatAClassOfTheProgramFindsAreNamedLikeOthers) {
  logging::add_handler_class("test.Throws",
                             [](logging::ConfigSection&) -> std::shared_ptr<logging::Handler> {
                               throw std::runtime_error("no pager");
                             });
  logging::add_handler_class(
      "test.Refuses", [](logging::ConfigSection& section) -> std::shared_ptr<logging::Handler> {
        section.mistake("number", "is engaged");
        static_cast<void>(section.json("number"));
        return nullptr;
      });
  logging::add_handler_class(
      "test.Null",
      [](logging::ConfigSection&) -> std::shared_ptr<logging::Handler> { return nullptr; });
  try {
    configure(R"("handlers": {"a": {"class": "test.Throws"},
      "b": {"class": "test.Refuses", "number": 1},
      "c": {"class": "test.Null"}})");
    FAIL();
  } catch (const logging::ConfigError& error) {
    EXPECT_EQ(error.mistakes(),
              (std::vector<std::string>{"handlers.a: no pager", "handlers.b.number: is engaged",
                                        "handlers.c: the class \"test.Null\" made nothing of it"}));
  }
  EXPECT_THROW(
      logging::add_handler_class(
          "", [](logging::ConfigSection&) { return std::make_shared<logging::NullHandler>(); }),
      std::invalid_argument);
  EXPECT_THROW(logging::add_filter_class("x", {}), std::invalid_argument);
}

TEST_F(LoggingConfigTest, ChildrenOfForksConfigureWhileAThreadAddsClasses) {
  if (!a_child_may_allocate) GTEST_SKIP() << "not under a sanitizer";
  const auto add = [] {
    logging::add_filter_class("test.Forked", [](logging::ConfigSection& section) {
      return std::make_shared<logging::Filter>(section.text("name").value_or(""));
    });
  };
  add();
  std::atomic<bool> enough{false};
  std::thread load([&] {
    while (!enough) add();
  });
  const auto configure_again = [&] {
    add();
    configure(R"("filters": {"f": {"class": "test.Forked", "name": "forked"}},
      "loggers": {"forked": {"level": "DEBUG", "filters": ["f"]}})");
    if (log("forked").level() != Level::debug) ::_exit(1);
  };
  constexpr int forks = 30;
  int good = 0;
  while (good < forks && in_child(configure_again) == 0) ++good;
  enough = true;
  load.join();
  EXPECT_EQ(good, forks);
}

TEST_F(LoggingConfigTest, LevelsThatTheProgramAddedAreKnown) {
  logging::add_level_name(static_cast<Level>(15), "VERBOSE");
  configure(R"("loggers": {"verbose": {"level": "VERBOSE"}, "number": {"level": 7}})");
  EXPECT_EQ(log("verbose").level(), static_cast<Level>(15));
  EXPECT_EQ(log("number").level(), static_cast<Level>(7));
}

TEST_F(LoggingConfigTest, FileIsReadLikeText) {
  write(file("logging.json"), R"({"version": 1, "root": {"level": "ERROR"}})");
  logging::config_file(file("logging.json"));
  EXPECT_EQ(log().level(), Level::error);
}

TEST_F(LoggingConfigTest, ThreadsMayLogAndConfigureAtOnce) {
  log().add_handler(std::make_shared<logging::NullHandler>());  // or some would go to stderr
  std::atomic<bool> done = false;
  std::vector<std::thread> threads;
  for (int i = 0; i != 2; ++i) {
    threads.emplace_back([&] {
      while (!done) log("busy.a").error("x");
    });
  }
  threads.emplace_back([this] {
    for (int i = 0; i != 50; ++i) configure(R"("loggers": {"busy.a": {"level": "ERROR"}})");
  });
  for (int i = 0; i != 50; ++i) {
    configure(R"("handlers": {"file": {"class": "FileHandler", "filename": "@a"},
        "q": {"class": "QueueHandler", "queue": {"maxsize": 10}, "handlers": ["file"]}},
      "loggers": {"busy": {"handlers": ["q", "file"]}})");
  }
  done = true;
  for (auto& thread : threads) thread.join();
}

// ---- The environment

// Only they take records without the handler's lock.
TEST_F(LoggingConfigTest, FileHandlersAreOfThatClassItself) {
  configure(R"("handlers": {"f": {"class": "FileHandler", "filename": "@a.log"}},
               "root": {"handlers": ["f"]})");
  const logging::Handler& made = *log().handlers().at(0);
  EXPECT_EQ(typeid(made), typeid(logging::FileHandler));
}

std::atomic<long> arrived{0};

struct Counter final : logging::Handler {
  Counter() : Handler(Wants::record) {}
  void emit(const logging::LogRecord&, std::string_view) override { ++arrived; }
};

TEST_F(LoggingConfigTest, NoRecordFindsALoggerWithoutHandlersMeanwhile) {
  logging::add_handler_class("Counter",
                             [](logging::ConfigSection&) { return std::make_shared<Counter>(); });
  const std::string text = R"("handlers": {"a": {"class": "Counter"}},
      "loggers": {"config.swap": {"handlers": ["a"], "propagate": false}})";
  configure(text);
  arrived = 0;
  std::atomic<bool> done{false};
  long sent = 0;
  std::thread writer([&] {
    for (; !done; ++sent) log("config.swap").error("not to be lost");
  });
  for (int i = 0; i != 1500; ++i) configure(text);
  done = true;
  writer.join();
  EXPECT_EQ(arrived, sent);
}

TEST(LoggingConfigEnvironment, HasTheLastWordOnLevels) {
  const ChildEnd child = run_child("environment", {"CONC_LOG=root=debug,env.*=info"});
  EXPECT_EQ(child.status, 0) << child.output;
  EXPECT_EQ(child.output, "10 20 40\n");
}

int environment_scenario() {
  using logging::get_logger;
  get_logger("env.a");
  logging::dict_config(R"({"version": 1, "root": {"level": "ERROR"},
    "loggers": {"env.a": {"level": "ERROR"}, "free": {"level": "ERROR"}}})");
  std::printf("%d %d %d\n", static_cast<int>(get_logger().level()),
              static_cast<int>(get_logger("env.a").level()),
              static_cast<int>(get_logger("free").level()));
  return 0;
}

// The scenario runs before main(), so that the tests' own main() does not.
[[maybe_unused]] const bool ran = [] {
  if (scenario() != nullptr) std::exit(environment_scenario());
  return true;
}();

}  // namespace

// Every mistake is named with its place, and nothing changes.
#include <conc/logging/config.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logging_files.hpp"
#include "logging_net.hpp"

namespace {

using namespace conc::test;
using conc::logging::ConfigError;

using Mistakes = std::vector<std::string>;

Mistakes mistakes_of(const std::string& json) {
  try {
    logging::dict_config(json);
  } catch (const ConfigError& error) {
    return error.mistakes();
  }
  return {};
}

// `parts` beside a right version.
std::string config(const std::string& parts) { return R"({"version": 1, )" + parts + "}"; }

std::string handler(const std::string& keys) {
  return config(R"("handlers": {"h": {)" + keys + "}}");
}

struct Row {
  std::string json;
  std::string mistake;  // how the only one begins
};

class LoggingConfigMistakesTest : public LoggingFileTest {
 protected:
  void check(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      const Mistakes got = mistakes_of(row.json);
      ASSERT_EQ(got.size(), 1u) << row.json << "\n" << (got.empty() ? "" : got.back());
      EXPECT_EQ(got[0].substr(0, row.mistake.size()), row.mistake) << row.json;
    }
  }
};

TEST_F(LoggingConfigMistakesTest, TextThatIsNotTheJsonOfAConfiguration) {
  check({
      {"", "this is not JSON: parse error at line 1, column 1"},
      {"{\"version\": 1,\n}", "this is not JSON: parse error at line 2, column 1"},
      {"[1]", "the configuration must be an object, not an array"},
      {"\"\xff\"", "this is not JSON: "},
      {R"({"version": 1, "root": {}, "root": {}})", "root: the key stands there twice"},
      {config(R"("loggers": {"a": {"level": 1, "level": 2}})"),
       "loggers.a.level: the key stands there twice"},
      {R"({"version": 1, "root": {"handlers": )" + std::string(100, '[') + std::string(100, ']') +
           "}}",
       "this is nested too deeply"},
  });
}

TEST_F(LoggingConfigMistakesTest, TopLevel) {
  check({
      {"{}", "version: must be there"},
      {R"({"version": null})", "version: must be there"},
      {R"({"version": 2})", "version: must be a whole number from 1 to 1, not 2"},
      {R"({"version": "1"})", "version: must be a whole number from 1 to 1, not \"1\""},
      {R"({"version": 1.0})", "version: must be a whole number from 1 to 1, not 1.0"},
      {config(R"("handler": {})"), "handler: there is no such key, only version, "},
      {config(R"("a.b": 1)"), R"(["a.b"]: there is no such key)"},
      {config(R"("incremental": 1)"), "incremental: must be true or false, not 1"},
      {config(R"("disable_existing_loggers": "no")"), "disable_existing_loggers: must be true or"},
      {config(R"("formatters": [])"), "formatters: must be an object, not an array"},
      {config(R"("filters": 1)"), "filters: must be an object, not 1"},
      {config(R"("handlers": "x")"), "handlers: must be an object, not \"x\""},
      {config(R"("loggers": true)"), "loggers: must be an object, not true"},
      {config(R"("root": [])"), "root: must be an object, not an array"},
      {config(R"("formatters": {"f": 1})"), "formatters.f: must be an object, not 1"},
      {config(R"("filters": {"f": 1})"), "filters.f: must be an object, not 1"},
      {config(R"("handlers": {"h": 1})"), "handlers.h: must be an object, not 1"},
      {config(R"("loggers": {"a.b": 1})"), R"(loggers["a.b"]: must be an object, not 1)"},
  });
}

TEST_F(LoggingConfigMistakesTest, Formatters) {
  const auto formatter = [](const std::string& keys) {
    return config(R"("formatters": {"f": {)" + keys + "}}");
  };
  check({
      {formatter(R"("class": "Fromatter")"), "formatters.f.class: \"Fromatter\" is no class of"},
      {formatter(R"-("()": "Fromatter")-"), "formatters.f[\"()\"]: \"Fromatter\" is no class of"},
      {formatter(R"-("()": "Formatter", "class": "Formatter")-"),
       "formatters.f[\"()\"]: there is a class already"},
      {formatter(R"("class": 7)"), "formatters.f.class: must be a string, not 7"},
      {formatter(R"("format": "%(massage)s")"), "formatters.f.format: conc::logging::Formatter: "},
      {formatter(R"("format": "{message}")"), "formatters.f.format: "},
      {formatter(R"("format": 1)"), "formatters.f.format: must be a string, not 1"},
      {formatter(R"("datefmt": 1)"), "formatters.f.datefmt: must be a string, not 1"},
      {formatter(R"("datefmt": "\u0000")"), "formatters.f.datefmt: must not have a null"},
      {formatter(R"("style": "$")"), R"(formatters.f.style: "$" is none of "%" and "{")"},
      {formatter(R"("controls": "drop")"), "formatters.f.controls: \"drop\" is none of"},
      {formatter(R"("fromat": "")"), "formatters.f.fromat: there is no such key, only class, (), "},
      {formatter(R"("class": "JsonFormatter", "format": "x")"),
       "formatters.f.format: there is no such key"},
  });
}

TEST_F(LoggingConfigMistakesTest, Filters) {
  const auto filter = [](const std::string& keys) {
    return config(R"("filters": {"f": {)" + keys + "}}");
  };
  check({
      {filter(R"("name": 1)"), "filters.f.name: must be a string, not 1"},
      {filter(R"("class": "Sieve")"), "filters.f.class: \"Sieve\" is no class of filters"},
      {filter(R"("nmae": "a")"), "filters.f.nmae: there is no such key"},
  });
}

TEST_F(LoggingConfigMistakesTest, WhatAllHandlersHave) {
  check({
      {handler(""), "handlers.h.class: must be there"},
      {handler(R"("class": null)"), "handlers.h.class: must be there"},
      {handler(R"("class": "Stream")"), "handlers.h.class: \"Stream\" is no class of handlers"},
      {handler(R"("class": "NullHandler", "level": "LOUD")"),
       "handlers.h.level: \"LOUD\" is no level"},
      {handler(R"("class": "NullHandler", "level": "info")"),
       "handlers.h.level: \"info\" is no level"},
      {handler(R"("class": "NullHandler", "level": -1)"), "handlers.h.level: must be the name of"},
      {handler(R"("class": "NullHandler", "level": 1e3)"), "handlers.h.level: must be the name of"},
      {handler(R"("class": "NullHandler", "level": 3000000000)"),
       "handlers.h.level: must be the name of"},
      {handler(R"("class": "NullHandler", "formatter": "f")"),
       "handlers.h.formatter: there is no formatter \"f\""},
      {handler(R"("class": "NullHandler", "formatter": {})"),
       "handlers.h.formatter: must be a string, not an object"},
      {handler(R"("class": "NullHandler", "filters": "f")"),
       "handlers.h.filters: must be an array of strings, not \"f\""},
      {handler(R"("class": "NullHandler", "filters": ["f"])"),
       "handlers.h.filters[0]: there is no filter \"f\""},
      {handler(R"("class": "NullHandler", "filters": [1])"),
       "handlers.h.filters[0]: must be a string, not 1"},
      {handler(R"("class": "NullHandler", "stream": "x")"),
       "handlers.h.stream: there is no such key"},
  });
}

TEST_F(LoggingConfigMistakesTest, EachHandlersOwn) {
  const std::string in = directory_.string() + "/";
  check({
      {handler(R"("class": "StreamHandler", "stream": "stdout")"),
       "handlers.h.stream: \"stdout\" is none of \"ext://sys.stderr\" and \"ext://sys.stdout\""},
      {handler(R"("class": "StreamHandler", "colour": "blue")"), "handlers.h.colour: \"blue\" is"},
      {handler(R"("class": "FileHandler")"), "handlers.h.filename: the file needs a name"},
      {handler(R"("class": "FileHandler", "filename": "")"), "handlers.h.filename: the file needs"},
      {handler(R"("class": "FileHandler", "filename": 1)"),
       "handlers.h.filename: must be a string"},
      {handler(R"("class": "FileHandler", "filename": "a\u0000b")"),
       "handlers.h.filename: must not have a null character"},
      {handler(R"("class": "FileHandler", "filename": ")" + in + "no/such\""),
       "handlers.h.filename: cannot open \"" + in + "no/such\": No such file"},
      {handler(R"("class": "FileHandler", "filename": ")" + directory_.string() + "\""),
       "handlers.h.filename: cannot open \"" + directory_.string() + "\": Is a directory"},
      {handler(R"("class": "FileHandler", "filename": ")" + in + R"(a", "mode": "r")"),
       "handlers.h.mode: \"r\" is none of \"a\" and \"w\""},
      {handler(R"("class": "FileHandler", "filename": ")" + in + R"(a", "encoding": "latin-1")"),
       "handlers.h.encoding: files are always written in \"utf-8\""},
      {handler(R"("class": "WatchedFileHandler", "filename": ")" + in + R"(a", "delay": 0)"),
       "handlers.h.delay: must be true or false"},
      {handler(R"("class": "RotatingFileHandler", "filename": ")" + in + R"(a", "mode": "w")"),
       "handlers.h.mode: files that are rotated"},
      {handler(R"("class": "RotatingFileHandler", "filename": ")" + in + R"(a", "maxBytes": -1)"),
       "handlers.h.maxBytes: must be a whole number from 0, not -1"},
      {handler(R"("class": "RotatingFileHandler", "filename": ")" + in +
               R"(a", "backupCount": 18446744073709551615)"),
       "handlers.h.backupCount: must be a whole number from 0, not 1844"},
      {handler(R"("class": "TimedRotatingFileHandler", "filename": ")" + in + R"(a", "when": "X")"),
       "handlers.h.when: conc::logging::TimedRotatingFileHandler: \"X\" is no period"},
      {handler(R"("class": "TimedRotatingFileHandler", "filename": ")" + in +
               R"(a", "interval": 0)"),
       "handlers.h.interval: must be a whole number from 1 to 100000, not 0"},
      {handler(R"("class": "TimedRotatingFileHandler", "filename": ")" + in + R"(a", "utc": 1)"),
       "handlers.h.utc: must be true or false"},
      {handler(R"("class": "MemoryHandler")"), "handlers.h.capacity: how many"},
      {handler(R"("class": "MemoryHandler", "capacity": 0)"),
       "handlers.h.capacity: must be a whole"},
      {handler(R"("class": "MemoryHandler", "capacity": 1, "flushLevel": "X")"),
       "handlers.h.flushLevel: \"X\" is no level"},
      {handler(R"("class": "MemoryHandler", "capacity": 1, "target": "x")"),
       "handlers.h.target: there is no handler \"x\""},
      {handler(R"("class": "MemoryHandler", "capacity": 1, "target": "h")"),
       "handlers.h.target: the handler \"h\" would get its own records"},
      {handler(R"("class": "QueueHandler")"), "handlers.h.handlers: the queue needs handlers"},
      {handler(R"("class": "QueueHandler", "handlers": ["x"])"),
       "handlers.h.handlers[0]: there is no handler \"x\""},
      {handler(R"("class": "QueueHandler", "handlers": [], "overflow": "explode")"),
       "handlers.h.overflow: \"explode\" is none of"},
      {handler(R"("class": "QueueHandler", "handlers": [], "queue": {"size": 1})"),
       "handlers.h.queue.size: there is no such key"},
      {handler(R"("class": "QueueHandler", "handlers": [], "queue": {"maxsize": -1})"),
       "handlers.h.queue.maxsize: must be a whole number from 0, not -1"},
      {handler(R"("class": "QueueHandler", "handlers": [], "listener": "mine")"),
       "handlers.h.listener: \"mine\" is none of"},
      {handler(R"("class": "QueueHandler", "handlers": [], "respect_handler_level": 1)"),
       "handlers.h.respect_handler_level: must be true or false"},
      {handler(R"("class": "SysLogHandler", "address": ")" + in + "log\""), "handlers.h.address: "},
      {handler(R"("class": "SysLogHandler", "address": ["localhost"])"),
       "handlers.h.address: must be the path of a socket, or [\"host\", port]"},
      {handler(R"("class": "SysLogHandler", "address": ["localhost", 65536])"),
       "handlers.h.address: must be the path of a socket, or [\"host\", port]"},
      {handler(R"("class": "SysLogHandler", "address": ["localhost", 514], "facility": "x")"),
       "handlers.h.facility: \"x\" is none of"},
      {handler(R"("class": "SocketHandler", "port": 1)"), "handlers.h.host: where"},
      {handler(R"("class": "SocketHandler", "host": "localhost")"), "handlers.h.port: where"},
      {handler(R"("class": "SocketHandler", "host": "localhost", "port": 0)"),
       "handlers.h.port: must be a whole number from 1 to 65535, not 0"},
  });
}

TEST_F(LoggingConfigMistakesTest, HandlersInACircleAreNamedWhereItCloses) {
  check({{config(R"("handlers": {
            "a": {"class": "MemoryHandler", "capacity": 1, "target": "b"},
            "b": {"class": "MemoryHandler", "capacity": 1, "target": "a"}})"),
          "handlers.b.target: the handler \"a\" would get its own records"}});
}

TEST_F(LoggingConfigMistakesTest, Loggers) {
  check({
      {config(R"("loggers": {"a": {"level": "X"}})"), "loggers.a.level: \"X\" is no level"},
      {config(R"("loggers": {"a": {"handlers": ["x"]}})"),
       "loggers.a.handlers[0]: there is no handler \"x\""},
      {config(R"("loggers": {"a": {"handlers": "x"}})"),
       "loggers.a.handlers: must be an array of strings"},
      {config(R"("loggers": {"a": {"filters": ["x"]}})"),
       "loggers.a.filters[0]: there is no filter \"x\""},
      {config(R"("loggers": {"a": {"propagate": 0}})"), "loggers.a.propagate: must be true or"},
      {config(R"("loggers": {"a": {"handler": []}})"), "loggers.a.handler: there is no such key"},
      {config(R"("root": {"level": []})"), "root.level: must be the name of a level"},
      {config(R"("root": {"propagate": true})"), "root.propagate: there is no such key"},
  });
}

TEST_F(LoggingConfigMistakesTest, Incremental) {
  check({
      {config(R"("incremental": true, "handlers": {"x": {"level": "INFO"}})"),
       "handlers.x: the configuration before has no handler of this name"},
      {config(R"("incremental": true, "loggers": {"a": {"level": "X"}})"),
       "loggers.a.level: \"X\" is no level"},
      {config(R"("incremental": true, "loggers": {"a": {"lvl": 1}})"),
       "loggers.a.lvl: there is no such key"},
  });
}

TEST_F(LoggingConfigMistakesTest, AllAreInOneError) {
  const Mistakes got = mistakes_of(R"({
    "version": 2,
    "formatters": {"f": {"style": "$", "datefmt": 1}},
    "filters": {"g": {"name": 1}},
    "handlers": {
      "a": {"class": "FileHandler", "filename": "/no/such/file", "formatter": "f"},
      "b": {"class": "RotatingFileHandler", "maxBytes": "1k", "backupCount": -1, "utc": true},
      "c": {"class": "MemoryHandler", "capacity": 1, "target": "b", "level": "X"}},
    "loggers": {"l": {"level": "Y", "handlers": ["a", "b", "d"], "propagate": "yes"}},
    "root": {"filters": ["g", "h"]},
    "extra": 1})");
  std::vector<std::string> places;
  for (const std::string& one : got) places.push_back(one.substr(0, one.find(": ")));
  EXPECT_EQ(places,
            (std::vector<std::string>{
                "version", "formatters.f.datefmt", "formatters.f.style", "filters.g.name",
                "handlers.b.filename", "handlers.b.maxBytes", "handlers.b.backupCount",
                "handlers.b.utc", "handlers.c.level", "loggers.l.level", "loggers.l.handlers[2]",
                "loggers.l.propagate", "root.filters[1]", "extra", "handlers.a.filename"}));
}

TEST_F(LoggingConfigMistakesTest, WhatHasThemOnALineEach) {
  try {
    logging::dict_config(R"({"version": 2, "x": 1})");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_EQ(std::string(error.what()).find("conc::logging::dict_config\n  version: "), 0u);
    EXPECT_NE(std::string(error.what()).find("\n  x: there is no such key"), std::string::npos);
    const ConfigError copy = error;
    EXPECT_EQ(copy.mistakes().size(), 2u);
    EXPECT_STREQ(copy.what(), error.what());
  }
}

TEST_F(LoggingConfigMistakesTest, HostsAndAddressesWithANullCharacter) {
  check({
      {handler(R"("class": "SocketHandler", "host": "127.0.0.1\u0000.example", "port": 9)"),
       "handlers.h.host: must not have a null character"},
      {handler(R"("class": "SysLogHandler", "address": "/dev/log\u0000x")"),
       "handlers.h.address: must not have a null character"},
      {handler(R"("class": "SysLogHandler", "address": ["127.0.0.1\u0000x", 514])"),
       "handlers.h.address: the host must not have a null character"},
  });
}

TEST_F(LoggingConfigMistakesTest, FileIsNamed) {
  const auto what = [](const fs::path& path) -> std::string {
    try {
      logging::config_file(path);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  };
  const std::string begin = "conc::logging::config_file: ";
  EXPECT_EQ(what(file("none.json")), begin + file("none.json").string() +
                                         ": the file cannot be read: No such file or directory");
  EXPECT_NE(what(directory_).find("the file cannot be read"), std::string::npos);
  write(file("bad.json"), R"({"version": 3})");
  EXPECT_EQ(what(file("bad.json")).find(begin + file("bad.json").string() + ": version: "), 0u);
  write(file("empty.json"), "");
  EXPECT_NE(what(file("empty.json")).find("this is not JSON"), std::string::npos);
}

// ---- Nothing is half applied

TEST_F(LoggingConfigMistakesTest, AfterThemEverythingIsAsBefore) {
  const auto kept = keep(logging::get_logger("mistakes.before"));
  const auto filter = std::make_shared<logging::Filter>("mistakes");
  logging::get_logger("mistakes.before").add_filter(filter);
  logging::get_logger("mistakes.before").set_level(logging::Level::info);
  logging::get_logger("mistakes").set_propagate(false);
  write(file("old.log"), "what was there\n");
  const auto picture = [&] {
    std::ostringstream tree;
    logging::logging_tree(tree);
    return tree.str() + content(file("old.log"));
  };
  const std::string before = picture();
  const auto names = files();

  // All right, but for one thing each time, at another place.
  const std::string right = R"({"version": 1,
    "formatters": {"f": {"format": "%(message)s" ~0}},
    "filters": {"g": {"name": "mistakes" ~1}},
    "handlers": {
      "w": {"class": "FileHandler", "filename": "@old.log", "mode": "w", "formatter": "f" ~2},
      "n": {"class": "FileHandler", "filename": "@new.log" ~3},
      "q": {"class": "QueueHandler", "handlers": ["n"] ~4}},
    "loggers": {"mistakes.new": {"handlers": ["w", "q"], "level": "DEBUG" ~5},
                "mistakes.before": {"filters": ["g"] ~6}},
    "root": {"handlers": ["w"], "level": "DEBUG" ~7} ~8})";
  constexpr int places = 9;
  const auto with_mistake = [&](int at, const std::string& mistake) {
    std::string text;
    for (std::size_t i = 0; i != right.size(); ++i) {
      if (right[i] == '~') {
        if (right[++i] - '0' == at) text += mistake;
      } else if (right[i] == '@') {
        text += directory_.string() + "/";
      } else {
        text += right[i];
      }
    }
    return text;
  };
  for (int at = 0; at != places; ++at) {
    EXPECT_EQ(mistakes_of(with_mistake(at, R"(, "mistake": 1)")).size(), 1u);
    EXPECT_EQ(picture(), before) << at;
    EXPECT_EQ(files(), names) << at;
  }
  // The file that cannot be opened comes last of all.
  EXPECT_EQ(mistakes_of(
                with_mistake(4, R"(}, "z": {"class": "FileHandler", "filename": "/no/such/file")"))
                .size(),
            1u);
  EXPECT_EQ(picture(), before);
  EXPECT_EQ(files(), names);
  logging::get_logger("mistakes.before").info("still here");
  EXPECT_EQ(kept->lines(), (Lines{"still here"}));

  EXPECT_EQ(mistakes_of(with_mistake(-1, "")), Mistakes());
  EXPECT_NE(picture(), before);
  EXPECT_EQ(content(file("old.log")), "");
  EXPECT_TRUE(files().contains("new.log"));
  logging::get_logger("mistakes.before").remove_filter(filter);
  logging::dict_config(R"({"version": 1})");
}

// Whoever opens the pipe for writing and closes it again tells its reader that it ends.
TEST_F(LoggingConfigMistakesTest, WhoReadsFromAPipeDoesNotSeeThatAConfigurationIsRefused) {
  ASSERT_EQ(::mkfifo(file("pipe").c_str(), 0600), 0);
  const int reader = ::open(file("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  const auto text = [&](const std::string& more) {
    return config(R"("root": {"handlers": ["p"]}, "handlers": {
        "p": {"class": "FileHandler", "filename": ")" +
                  file("pipe").string() + "\"}" + more + "}");
  };
  EXPECT_EQ(mistakes_of(text(R"(, "other": {"class": "NoSuchHandler"})")).size(), 1u);
  ::pollfd seen{reader, POLLIN, 0};
  EXPECT_EQ(::poll(&seen, 1, 0), 0) << seen.revents;

  EXPECT_EQ(mistakes_of(text("")), Mistakes());
  logging::warning("the first");
  char line[32];
  const ::ssize_t count = ::read(reader, line, sizeof line);
  EXPECT_EQ(std::string(line, static_cast<std::size_t>(count > 0 ? count : 0)), "the first\n");
  logging::dict_config(R"({"version": 1, "root": {}})");
  ::close(reader);
}

TEST_F(LoggingConfigMistakesTest, LinksStayAndTheFilesBehindThemAreMadeByWhatIsRight) {
  fs::create_directory(file("behind"));
  fs::create_symlink("second", file("link"));
  fs::create_symlink(file("behind") / "app.log", file("second"));
  const auto names = files();
  const auto text = [&](const std::string& more) {
    return config(R"("root": {"handlers": ["l"]}, "handlers": {
        "l": {"class": "FileHandler", "filename": ")" +
                  file("link").string() + "\"}" + more + "}");
  };
  EXPECT_EQ(mistakes_of(text(R"(, "other": {"class": "NoSuchHandler"})")).size(), 1u);
  EXPECT_TRUE(fs::is_empty(file("behind")));
  EXPECT_EQ(files(), names);
  EXPECT_TRUE(fs::is_symlink(file("link")) && fs::is_symlink(file("second")));

  EXPECT_EQ(mistakes_of(text("")), Mistakes());
  logging::warning("the first");
  EXPECT_EQ(content(file("behind") / "app.log"), "the first\n");
  EXPECT_EQ(files(), names);
  EXPECT_TRUE(fs::is_symlink(file("link")) && fs::is_symlink(file("second")));
  logging::dict_config(R"({"version": 1, "root": {}})");
}

// It may be written to, but opening it fails, which shows only when it is tried.
std::string handler_of_a_socket(const fs::path& path) {
  return R"("z": {"class": "FileHandler", "filename": ")" + path.string() + "\"}";
}

TEST_F(LoggingConfigMistakesTest, NoFileIsTruncatedWhenTheLastOneCannotBeOpened) {
  write(file("old.log"), "what was there\n");
  const Fd socket = bound_unix(file("socket"));
  ASSERT_GE(socket.get(), 0);
  const auto names = files();
  const std::string in = directory_.string();
  const Mistakes got = mistakes_of(
      config(R"("handlers": {"a": {"class": "FileHandler", "mode": "w", "filename": ")" + in +
             R"(/old.log"}, "b": {"class": "FileHandler", "mode": "w", "filename": ")" + in +
             R"(/new.log"}, )" + handler_of_a_socket(file("socket")) +
             R"(}, "root": {"handlers": ["a", "b", "z"]})"));
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].find("handlers.z.filename: cannot open \"" + in + "/socket\": No such device"),
            0u)
      << got[0];
  EXPECT_EQ(content(file("old.log")), "what was there\n");
  EXPECT_EQ(files(), names);
}

// While the configuration waits for the reader of the pipe, a handler opens the file that it made.
TEST_F(LoggingConfigMistakesTest, FileThatAHandlerHasOpenedMeanwhileStays) {
  const Fd socket = bound_unix(file("socket"));
  ASSERT_GE(socket.get(), 0);
  ASSERT_EQ(::mkfifo(file("pipe").c_str(), 0600), 0);
  auto& logger = logging::get_logger("mistakes.meanwhile");
  logger.set_level(logging::Level::info);
  const auto handler =
      std::make_shared<logging::FileHandler>(file("made.log"), logging::FileOptions{.delay = true});
  logger.add_handler(handler);
  std::thread reader([&] {
    while (!fs::exists(file("made.log"))) std::this_thread::yield();
    logger.info("held back");
    Fd(::open(file("pipe").c_str(), O_RDONLY | O_CLOEXEC)).reset();
  });
  const std::string in = directory_.string();
  const Mistakes got = mistakes_of(
      config(R"("handlers": {"a": {"class": "FileHandler", "filename": ")" + in +
             R"(/made.log"}, "p": {"class": "FileHandler", "filename": ")" + in + R"(/pipe"}, )" +
             handler_of_a_socket(file("socket")) + R"(}, "root": {"handlers": ["a", "p", "z"]})"));
  reader.join();
  EXPECT_EQ(got.size(), 1u);
  logger.remove_handler(handler);
  handler->close();
  EXPECT_EQ(content(file("made.log")), "held back\n");
}

// Runs with libconc_refuse_threads preloaded.
TEST_F(LoggingConfigMistakesTest, ListenerWithoutAThreadIsOneAndFilesStayAsTheyAre) {
  const auto allow_threads =
      reinterpret_cast<void (*)(long)>(::dlsym(RTLD_DEFAULT, "conc_test_allow_threads"));
  if (allow_threads == nullptr) GTEST_SKIP() << "Skipped: libconc_refuse_threads is not preloaded";
  write(file("old.log"), "what was there\n");
  const auto kept = keep(logging::get_logger());
  const std::string in = directory_.string();
  const std::string text = config(R"("handlers": {
      "w": {"class": "FileHandler", "mode": "w", "filename": ")" +
                                  in + R"(/old.log"},
      "n": {"class": "FileHandler", "filename": ")" +
                                  in + R"(/new.log"},
      "first": {"class": "QueueHandler", "handlers": ["n"]},
      "q": {"class": "QueueHandler", "handlers": ["w"]}},
    "root": {"handlers": ["first", "q"]})");
  allow_threads(1);
  const Mistakes got = mistakes_of(text);
  allow_threads(-1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].find("handlers.q: the thread of its listener cannot be started: "), 0u)
      << got[0];
  EXPECT_EQ(content(file("old.log")), "what was there\n");
  EXPECT_FALSE(files().contains("new.log"));
  logging::get_logger().error("still here");
  EXPECT_EQ(kept->lines(), (Lines{"still here"}));
  EXPECT_EQ(mistakes_of(text), Mistakes());
  logging::dict_config(R"({"version": 1, "root": {}})");
}

}  // namespace

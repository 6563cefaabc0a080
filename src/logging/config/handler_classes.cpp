#include "handler_classes.hpp"

#include <conc/logging/file_handler.hpp>
#include <conc/logging/memory_handler.hpp>
#include <conc/logging/queue_handler.hpp>
#include <conc/logging/queue_listener.hpp>
#include <conc/logging/rotating_file_handler.hpp>
#include <conc/logging/socket_handler.hpp>
#include <conc/logging/stream_handler.hpp>
#include <conc/logging/syslog_handler.hpp>
#include <conc/logging/timed_rotating_file_handler.hpp>
#include <conc/logging/watched_file_handler.hpp>

#include <array>
#include <cstdio>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "section.hpp"

namespace conc::logging::detail {
namespace {

using Made = std::shared_ptr<Handler>;

constexpr std::int64_t most_of_all = std::numeric_limits<std::int64_t>::max();

// What the constructor throws is a mistake at `key`.
template <class H, class... Args>
std::shared_ptr<H> make(ConfigSection& section, std::string_view key, Args&&... args) {
  try {
    return std::make_shared<H>(std::forward<Args>(args)...);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& wrong) {
    section.mistake(key, wrong.what());
    return nullptr;
  }
}

bool absent(ConfigSection& section, std::string_view key) {
  return ConfigNode::of(section).find(key) == nullptr;
}

// ---- Streams

Made make_stream(ConfigSection& section) {
  const auto stream = section.choice("stream", {"ext://sys.stderr", "ext://sys.stdout"});
  const auto colour = section.choice("colour", {"automatic", "always", "never"});
  if (section.has_mistakes()) return nullptr;
  auto handler = std::make_shared<StreamHandler>(stream == 1u ? stdout : stderr);
  if (colour) {
    constexpr std::array colours{Colour::automatic, Colour::always, Colour::never};
    handler->set_colour(colours[*colour]);
  }
  return handler;
}

// ---- Files

struct FileKeys {
  std::string filename;
  bool named = false;  // the name may be that of a file
  bool delay = false;
  Flush flush = Flush::warnings;
};

// The keys of all files.
FileKeys file_keys(ConfigSection& section) {
  FileKeys keys;
  const auto filename = section.text("filename");
  if (filename) keys.filename = *filename;
  const auto encoding = section.text("encoding");
  keys.delay = section.flag("delay").value_or(false);
  if (section.choice("flush", {"warnings", "every_record"}) == 1u) {
    keys.flush = Flush::every_record;
  }
  if (keys.filename.find('\0') != std::string::npos) {
    section.mistake("filename", "must not have a null character");
  } else if ((filename && filename->empty()) || absent(section, "filename")) {
    section.mistake("filename", "the file needs a name");
  } else {
    keys.named = filename.has_value();
  }
  if (encoding && *encoding != "utf-8" && *encoding != "utf8" && *encoding != "UTF-8") {
    section.mistake("encoding", "files are always written in \"utf-8\"");
  }
  return keys;
}

template <class H, class Options>
Made make_file(ConfigSection& section, const FileKeys& keys, Options options, bool truncates,
               std::string_view blame = "filename") {
  std::shared_ptr<H> handler;
  options.delay = true;  // it is given its file later
  options.flush = keys.flush;
  if (!section.has_mistakes()) {
    handler = make<H>(section, blame, keys.filename, std::move(options));
  }
  // Whether the file can be opened is asked even after other mistakes.
  if (!keys.delay && keys.named) {
    auto& node = ConfigNode::of(section);
    node.construction().open_late({.place = node.place("filename"),
                                   .file = std::filesystem::absolute(keys.filename),
                                   .truncates = truncates,
                                   .handler = handler});
  }
  return handler;
}

template <class H>
Made make_plain_file(ConfigSection& section) {
  const FileKeys keys = file_keys(section);
  const bool truncates = section.choice("mode", {"a", "w"}) == 1u;
  return make_file<H>(section, keys,
                      FileOptions{.mode = truncates ? FileMode::truncate : FileMode::append},
                      truncates);
}

Made make_rotating_file(ConfigSection& section) {
  const FileKeys keys = file_keys(section);
  if (section.choice("mode", {"a", "w"}) == 1u) {
    section.mistake("mode", "files that are rotated are always appended to: \"a\"");
  }
  const auto max_bytes = section.number("maxBytes", 0, most_of_all);
  const auto count = section.number("backupCount", 0, most_of_all);
  return make_file<RotatingFileHandler>(
      section, keys,
      RotatingOptions{.max_bytes = static_cast<std::uint64_t>(max_bytes.value_or(0)),
                      .backup_count = static_cast<std::size_t>(count.value_or(0))},
      false);
}

Made make_timed_rotating_file(ConfigSection& section) {
  const FileKeys keys = file_keys(section);
  TimedRotatingOptions options;
  if (auto when = section.text("when")) options.when = *std::move(when);
  constexpr std::int64_t longest = 100'000;
  options.interval = static_cast<std::uint32_t>(section.number("interval", 1, longest).value_or(1));
  options.backup_count =
      static_cast<std::size_t>(section.number("backupCount", 0, most_of_all).value_or(0));
  options.utc = section.flag("utc").value_or(false);
  return make_file<TimedRotatingFileHandler>(section, keys, options, false, "when");
}

// ---- Handlers that hand on

Made make_memory(ConfigSection& section) {
  const auto capacity = section.number("capacity", 1, most_of_all);
  if (absent(section, "capacity")) section.mistake("capacity", "how many records is that?");
  MemoryOptions options;
  if (const auto level = section.level("flushLevel")) options.flush_level = *level;
  if (const auto flush = section.flag("flushOnClose")) options.flush_on_close = *flush;
  Made target = section.handler("target");
  if (section.has_mistakes()) return nullptr;
  return make<MemoryHandler>(section, "", static_cast<std::size_t>(*capacity), std::move(target),
                             options);
}

Made make_queue(ConfigSection& section) {
  std::size_t maxsize = 0;
  if (auto queue = section.section("queue")) {
    static_cast<void>(queue->choice("class", {"Queue", "queue.Queue"}));
    static_cast<void>(queue->choice("()", {"Queue", "queue.Queue"}));
    maxsize = static_cast<std::size_t>(queue->number("maxsize", 0, most_of_all).value_or(0));
  }
  constexpr std::array overflows{Overflow::block, Overflow::drop_newest, Overflow::drop_oldest};
  const auto overflow = section.choice("overflow", {"block", "drop_newest", "drop_oldest"});
  static_cast<void>(
      section.choice("listener", {"QueueListener", "logging.handlers.QueueListener"}));
  std::vector<Made> handlers = section.handlers("handlers");
  const bool respect = section.flag("respect_handler_level").value_or(false);
  if (absent(section, "handlers")) {
    section.mistake("handlers", "the queue needs handlers that its records go to");
  }
  if (section.has_mistakes()) return nullptr;
  const auto queue = std::make_shared<RecordQueue>(maxsize);
  const auto handler =
      std::make_shared<QueueHandler>(queue, overflow ? overflows[*overflow] : Overflow::block);
  auto& node = ConfigNode::of(section);
  node.construction().listen(
      node.place(""), handler,
      std::make_unique<QueueListener>(queue, std::move(handlers),
                                      QueueListenerOptions{.respect_handler_level = respect}));
  return handler;
}

// ---- Elsewhere

std::optional<Facility> facility_of(ConfigSection& section) {
  constexpr std::size_t first_local = 12;
  constexpr std::size_t local0 = 16;  // the numbers between are the system's own
  const auto index = section.choice(
      "facility", {"kern",   "user",   "mail",   "daemon",   "auth",   "syslog", "lpr",
                   "news",   "uucp",   "cron",   "authpriv", "ftp",    "local0", "local1",
                   "local2", "local3", "local4", "local5",   "local6", "local7"});
  if (!index) return std::nullopt;
  return static_cast<Facility>(*index < first_local ? *index : *index - first_local + local0);
}

struct Address {
  std::string host_or_path;
  std::uint16_t port = 0;  // 0: a path
};

constexpr std::int64_t last_port = 65535;

std::optional<Address> address_of(ConfigSection& section) {
  auto& node = ConfigNode::of(section);
  const Json* const value = node.find("address");
  if (value == nullptr) return Address{"/dev/log"};
  if (value->is_string()) {
    auto path = value->get<std::string>();
    if (path.find('\0') == std::string::npos) return Address{std::move(path)};
    node.mistake("address", "must not have a null character");
    return std::nullopt;
  }
  const bool pair = value->is_array() && value->size() == 2 && (*value)[0].is_string() &&
                    (*value)[1].is_number_unsigned() && (*value)[1] >= 1 &&
                    (*value)[1] <= last_port;
  if (pair && (*value)[0].get<std::string>().find('\0') != std::string::npos) {
    node.mistake("address", "the host must not have a null character");
    return std::nullopt;
  }
  if (pair) return Address{(*value)[0].get<std::string>(), (*value)[1].get<std::uint16_t>()};
  node.mistake("address", "must be the path of a socket, or [\"host\", port]");
  return std::nullopt;
}

Made make_syslog(ConfigSection& section) {
  const auto address = address_of(section);
  SysLogOptions options;
  if (const auto facility = facility_of(section)) options.facility = *facility;
  if (auto ident = section.text("ident")) options.ident = *std::move(ident);
  if (const auto append = section.flag("append_nul")) options.append_nul = *append;
  if (section.has_mistakes()) return nullptr;
  if (address->port != 0) {
    return make<SysLogHandler>(section, "address", address->host_or_path, address->port, options);
  }
  return make<SysLogHandler>(section, "address", std::filesystem::path(address->host_or_path),
                             options);
}

Made make_socket(ConfigSection& section) {
  auto host = section.text("host");
  const auto port = section.number("port", 1, last_port);
  if (absent(section, "host")) section.mistake("host", "where are the records to go?");
  if (host && host->find('\0') != std::string::npos) {
    section.mistake("host", "must not have a null character");
  }
  if (absent(section, "port")) section.mistake("port", "where are the records to go?");
  if (section.has_mistakes()) return nullptr;
  return make<SocketHandler>(section, "", *std::move(host), static_cast<std::uint16_t>(*port));
}

Made make_null(ConfigSection&) { return std::make_shared<NullHandler>(); }

}  // namespace

std::map<std::string, HandlerFactory> own_handler_classes() {
  return {
      {"FileHandler", make_plain_file<FileHandler>},
      {"MemoryHandler", make_memory},
      {"NullHandler", make_null},
      {"QueueHandler", make_queue},
      {"RotatingFileHandler", make_rotating_file},
      {"SocketHandler", make_socket},
      {"StreamHandler", make_stream},
      {"SysLogHandler", make_syslog},
      {"TimedRotatingFileHandler", make_timed_rotating_file},
      {"WatchedFileHandler", make_plain_file<WatchedFileHandler>},
  };
}

}  // namespace conc::logging::detail

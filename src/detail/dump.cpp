#include "dump.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>

#include "json_text.hpp"
#include "wait_words.hpp"

namespace conc {
namespace {

using Steady = std::chrono::steady_clock;

// Finds the threads by their numbers.
class Names {
 public:
  explicit Names(const Snapshot& seen) noexcept : seen_(seen) {}

  // nullptr when it has ended.
  [[nodiscard]] const ThreadInfo* find(std::uint64_t ident) const noexcept {
    const auto found =
        std::find_if(seen_.threads.begin(), seen_.threads.end(),
                     [ident](const ThreadSnapshot& thread) { return thread.info.ident == ident; });
    return found != seen_.threads.end() ? &found->info : nullptr;
  }

  // `"left" (2)`
  [[nodiscard]] std::string quoted(std::uint64_t ident) const {
    const ThreadInfo* const info = find(ident);
    return info != nullptr ? detail::quoted(info->name, ident)
                           : "a thread that has ended (" + std::to_string(ident) + ')';
  }

 private:
  const Snapshot& seen_;
};

// `1.250 s`
std::string seconds(Steady::duration time) {
  char text[40];
  std::snprintf(text, sizeof text, "%.3f s",
                std::max(0.0, std::chrono::duration<double>(time).count()));
  return text;
}

std::string address(const ContendedObject& object) {
  char text[24];
  std::snprintf(text, sizeof text, "%p", object.address);
  return text;
}

// `Lock "fork"`, `Queue "jobs" (10 of 10)`
std::string title(const ContendedObject& object) {
  std::string text = object.type;
  if (!object.name.empty()) {
    text += ' ';
    detail::append_json(text, object.name);
  }
  if (object.fill) {
    text += " (" + std::to_string(*object.fill);
    if (object.maxsize) text += " of " + std::to_string(*object.maxsize);
    text += " items)";
  }
  return text;
}

std::string local_time(std::chrono::system_clock::time_point time) {
  const std::time_t count = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  localtime_r(&count, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

void write_thread(std::ostream& out, const ThreadSnapshot& thread, const Snapshot& seen,
                  const Names& names) {
  std::string name;
  detail::append_json(name, thread.info.name);
  out << name << " ident=" << thread.info.ident << " native_id=" << thread.info.native_id
      << (thread.info.daemon ? " daemon: " : ": ");
  if (!thread.wait) {
    out << "runs\n";
    return;
  }
  const ContendedObject& object = seen.objects[thread.wait->object];
  out << "waits to " << thread.wait->action << ' ' << title(object);
  if (object.holder) {
    out << ' ' << detail::held_by(object.type) << names.quoted(*object.holder);
  }
  out << " since " << seconds(seen.steady_time - thread.wait->since);
  if (thread.wait->deadline) {
    out << ", for another " << seconds(*thread.wait->deadline - seen.steady_time);
  }
  out << '\n';
}

void write_object(std::ostream& out, const ContendedObject& object, const Snapshot& seen,
                  const Names& names) {
  out << title(object) << ' ' << address(object);
  if (object.holder) {
    out << ", " << detail::held_by(object.type) << names.quoted(*object.holder);
  }
  out << "\n";
  for (const std::uint64_t ident : object.waiters) {
    const auto waiter =
        std::find_if(seen.threads.begin(), seen.threads.end(),
                     [ident](const ThreadSnapshot& thread) { return thread.info.ident == ident; });
    out << "  waits: " << names.quoted(ident) << " since "
        << seconds(seen.steady_time - waiter->wait->since) << '\n';
  }
}

// ---- JSON

class Json {
 public:
  [[nodiscard]] std::string take() noexcept { return std::move(text_); }

  Json& open(char bracket) {
    text_ += bracket;
    first_ = true;
    return *this;
  }
  Json& close(char bracket) {
    text_ += bracket;
    first_ = false;
    return *this;
  }
  Json& key(std::string_view name) {
    separate();
    detail::append_json(text_, name);
    text_ += ':';
    first_ = true;  // the value follows without a comma
    return *this;
  }
  Json& value(std::string_view text) {
    separate();
    detail::append_json(text_, text);
    return *this;
  }
  Json& raw(std::string_view text) {
    separate();
    text_ += text;
    return *this;
  }
  Json& value(bool yes) { return raw(yes ? "true" : "false"); }
  template <class Number>
  requires(std::integral<Number> && !std::same_as<Number, bool>) Json& value(Number number) {
    return raw(std::to_string(number));
  }
  template <class T>
  Json& value(const std::optional<T>& maybe) {
    return maybe ? value(*maybe) : raw("null");
  }
  Json& item() {
    separate();
    first_ = true;
    return *this;
  }

 private:
  void separate() {
    if (!first_) text_ += ',';
    first_ = false;
  }

  std::string text_;
  bool first_ = true;
};

std::string decimal_seconds(Steady::duration time) {
  char text[40];
  std::snprintf(text, sizeof text, "%.6f", std::chrono::duration<double>(time).count());
  return text;
}

// From one moment to another; 0 when that is earlier.
std::string decimal_seconds(Steady::time_point from, Steady::time_point to) {
  return decimal_seconds(std::max(to - from, Steady::duration::zero()));
}

// ---- Where there is no stream

void say_that_there_is_no_memory() noexcept {
  std::fputs("conc: no memory for a dump of the threads\n", stderr);
}

}  // namespace

void dump_threads(std::ostream& out, const Snapshot& seen) {
  const Names names(seen);
  out << seen.threads.size() << (seen.threads.size() == 1 ? " thread" : " threads")
      << " of process " << seen.process_id << " at " << local_time(seen.time) << '\n';
  for (const ThreadSnapshot& thread : seen.threads) write_thread(out, thread, seen, names);
  for (const ContendedObject& object : seen.objects) {
    out << '\n';
    write_object(out, object, seen, names);
  }
}

std::string to_json(const Snapshot& seen) {
  Json json;
  json.open('{').key("version").value(1);
  json.key("time").raw(
      decimal_seconds(std::chrono::duration_cast<Steady::duration>(seen.time.time_since_epoch())));
  json.key("process_id").value(seen.process_id);
  json.key("threads").open('[');
  for (const auto& [info, wait] : seen.threads) {
    json.item().open('{').key("name").value(info.name).key("ident").value(info.ident);
    json.key("native_id").value(info.native_id).key("daemon").value(info.daemon);
    json.key("main").value(info.main).key("state").value(std::string_view(!wait        ? "runs"
                                                                          : wait->idle ? "idle"
                                                                                       : "waits"));
    json.key("wait");
    if (wait) {
      json.open('{').key("object").value(wait->object);
      json.key("action").value(std::string_view(wait->action));
      json.key("seconds").raw(decimal_seconds(wait->since, seen.steady_time));
      json.key("seconds_left");
      json.raw(wait->deadline ? decimal_seconds(seen.steady_time, *wait->deadline) : "null");
      json.close('}');
    } else {
      json.raw("null");
    }
    json.close('}');
  }
  json.close(']').key("objects").open('[');
  for (const ContendedObject& object : seen.objects) {
    json.item().open('{').key("type").value(object.type).key("name").value(object.name);
    json.key("address").value(address(object)).key("holder").value(object.holder);
    json.key("fill").value(object.fill).key("maxsize").value(object.maxsize);
    json.key("waiters").open('[');
    for (const std::uint64_t ident : object.waiters) json.value(ident);
    json.close(']').close('}');
  }
  json.close(']').close('}');
  return json.take();
}

std::string to_dot(const Snapshot& seen) {
  std::ostringstream dot;
  // What Graphviz reads as a string takes the escapes of JSON that matter: of quotation marks and
  // backslashes.
  const auto quoted = [](std::string_view text) {
    std::string result;
    detail::append_json(result, text);
    return result;
  };
  dot << "digraph threads {\n";
  for (const ThreadSnapshot& thread : seen.threads) {
    dot << "  t" << thread.info.ident << " [shape=ellipse, label=" << quoted(thread.info.name)
        << "];\n";
  }
  for (std::size_t i = 0; i < seen.objects.size(); ++i) {
    const ContendedObject& object = seen.objects[i];
    dot << "  o" << i << " [shape=box, label="
        << quoted(object.name.empty() ? object.type : object.type + ' ' + object.name) << "];\n";
    if (object.holder) dot << "  o" << i << " -> t" << *object.holder << ";\n";
  }
  for (const ThreadSnapshot& thread : seen.threads) {
    if (thread.wait) {
      dot << "  t" << thread.info.ident << " -> o" << thread.wait->object
          << " [label=" << quoted(thread.wait->action) << "];\n";
    }
  }
  dot << "}\n";
  return dot.str();
}

void detail::dump_to_stderr(const Snapshot& seen) noexcept {
  try {
    std::ostringstream text;
    dump_threads(text, seen);
    const std::string whole = text.str();
    std::fwrite(whole.data(), 1, whole.size(), stderr);
  } catch (...) {
    say_that_there_is_no_memory();
  }
}

void detail::dump_to_stderr() noexcept {
  try {
    dump_to_stderr(snapshot());
  } catch (...) {
    say_that_there_is_no_memory();
  }
}

}  // namespace conc

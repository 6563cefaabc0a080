// Configurations: any text is either refused with its mistakes named, or all of it is made.
//
// Files are made in a directory of the fuzzer's own. Inputs with a slash in any text could name
// others, and are left out; so are handlers that would look up hosts. It works in that directory,
// so files on the command line need absolute paths.
#include <conc/logging/config.hpp>
#include <conc/logging/handler.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "../../src/logging/config/plan.hpp"

namespace logging = conc::logging;

namespace {

using logging::detail::Json;

bool leaves_the_directory(const Json& value) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (text == "ext://sys.stdout" || text == "ext://sys.stderr") return false;
    return text.find('/') != std::string::npos || text == "..";
  }
  if (!value.is_structured()) return false;
  for (const Json& one : value) {
    if (leaves_the_directory(one)) return true;
  }
  return false;
}

// Loggers are for ever, so only a few names are tried.
bool may_be_applied(const logging::detail::Plan& plan) {
  for (const auto& logger : plan.loggers) {
    if (logger.name != "" && logger.name != "a" && logger.name != "a.b") return false;
  }
  return true;
}

std::filesystem::path own_directory() {
  std::string path = (std::filesystem::temp_directory_path() / "conc-fuzz-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) std::abort();
  std::filesystem::current_path(path);
  const auto to_null = [](logging::ConfigSection& section) -> std::shared_ptr<logging::Handler> {
    static_cast<void>(section.text("host"));
    return std::make_shared<logging::NullHandler>();
  };
  logging::add_handler_class("SysLogHandler", to_null);
  logging::add_handler_class("SocketHandler", to_null);
  std::atexit([] {
    const auto directory = std::filesystem::current_path();
    std::filesystem::current_path("/");
    std::filesystem::remove_all(directory);
  });
  return path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::filesystem::path directory = own_directory();
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  logging::detail::Mistakes mistakes;
  const Json config = logging::detail::parse_json(text, mistakes);
  if (leaves_the_directory(config)) return 0;
  {
    auto plan = logging::detail::make_plan(config, logging::detail::present_handlers(), mistakes);
    if (mistakes.empty() && may_be_applied(plan)) logging::detail::apply(std::move(plan));
  }
  for (const std::string& one : mistakes) {
    if (one.empty()) __builtin_trap();
  }
  // With mistakes no file stays behind.
  static int runs = 0;
  if (!mistakes.empty()) {
    if (++runs % 64 == 0 && !std::filesystem::is_empty(directory)) __builtin_trap();
  } else {
    logging::detail::Mistakes none;
    const Json nothing = logging::detail::parse_json(
        R"({"version": 1, "disable_existing_loggers": false, "loggers": {"a": {}, "a.b": {}},
            "root": {}})",
        none);
    logging::detail::apply(logging::detail::make_plan(nothing, {}, none));
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      std::filesystem::remove_all(entry.path());
    }
  }
  return 0;
}

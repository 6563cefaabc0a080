#include <conc/detail/machine.hpp>
#include <conc/logging/basic_config.hpp>
#include <conc/logging/logger.hpp>
#include <conc/logging/stream_handler.hpp>

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>

#include "configuring.hpp"
#include "shutdown.hpp"
#include "tree.hpp"

namespace conc::logging {
namespace detail {

constinit conc::detail::Mutex configuring;
constinit conc::detail::Mutex opening;

}  // namespace detail

namespace {

constexpr std::string_view default_format(Style style) noexcept {
  return style == Style::percent ? "%(levelname)s:%(name)s:%(message)s"
                                 : "{levelname}:{name}:{message}";
}

void check(const BasicConfig& config) {
  const auto refuse = [](const char* why) {
    throw std::invalid_argument("conc::logging::basic_config: " + std::string(why));
  };
  if (config.handlers.empty()) {
    if (config.stream != nullptr && !config.filename.empty()) {
      refuse("give either a stream or a filename.");
    }
    return;
  }
  if (config.stream != nullptr || !config.filename.empty()) {
    refuse("give either handlers, or a stream or a filename to make one for.");
  }
  const auto& handlers = config.handlers;
  if (std::find(handlers.begin(), handlers.end(), nullptr) != handlers.end()) {
    refuse("a handler must not be null.");
  }
}

std::shared_ptr<Handler> make_handler(const BasicConfig& config) {
  if (!config.filename.empty()) {
    return std::make_shared<FileHandler>(config.filename, FileOptions{.mode = config.filemode});
  }
  if (config.stream != nullptr) return std::make_shared<StreamHandler>(*config.stream);
  return std::make_shared<StreamHandler>();
}

// What the old handlers hold back is for what the file was, so it goes there before the new one
// truncates it. One that cannot be flushed is closed later on, and says why then.
void flush_before_truncation(const BasicConfig& config, const Logger& root) {
  if (!config.force || config.filename.empty() || config.filemode != FileMode::truncate) return;
  for (const auto& handler : root.handlers()) {
    try {
      handler->flush();
    } catch (...) {
      detail::complain_of_failure(*handler, "flushed");
    }
  }
}

}  // namespace

void basic_config(const BasicConfig& config) {
  check(config);
  Logger& root = get_logger();
  if (!config.force && !root.handlers().empty()) return;
  const auto formatter = std::make_shared<const Formatter>(
      config.format.empty() ? default_format(config.style) : std::string_view(config.format),
      config.datefmt, config.style, config.controls);
  flush_before_truncation(config, root);
  std::vector<std::shared_ptr<Handler>> handlers = config.handlers;
  std::vector<std::shared_ptr<Handler>> replaced;
  {
    // Who finds the root without handlers opens the file alone: another would truncate what is
    // written to it by then. A lock of its own, since opening may take any time, that of a pipe for
    // instance, and a fork must not wait for it.
    const std::lock_guard alone(detail::opening);
    if (!config.force && !root.handlers().empty()) return;
    if (handlers.empty()) handlers.push_back(make_handler(config));
    const std::lock_guard guard(detail::configuring);
    if (!config.force && !root.handlers().empty()) return;
    for (const auto& handler : handlers) {
      if (handler->formatter() == nullptr) handler->set_formatter(formatter);
      if (!config.force) root.add_handler(handler);
    }
    if (config.force) replaced = detail::HandlersOf::replace(root, handlers);
    if (config.level && !detail::Tree::instance().root_level_is_given())
      root.set_level(*config.level);
  }
  // Without the lock, since a handler's close() may be user code.
  for (const auto& handler : replaced) {
    try {
      handler->close();
    } catch (...) {
      detail::complain_of_failure(*handler, "closed");
    }
  }
}

}  // namespace conc::logging

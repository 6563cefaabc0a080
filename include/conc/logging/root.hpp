// The root logger without more ado: logging::info("{} is ready", name).
#pragma once

#include <conc/export.hpp>
#include <conc/logging/logger.hpp>

#include <type_traits>
#include <utility>

namespace conc::logging {

namespace detail {
// The root, after basic_config({}) if it had no handler.
[[nodiscard]] CONC_LOGGING_EXPORT Logger& configured_root();
}  // namespace detail

// Log on the root. If the root has no handler they configure it first with basic_config({}), even
// when the level is not enabled, so that it writes to stderr.
// Python: logging.debug() and its kind
template <class... Args>
void debug(FormatString<std::type_identity_t<Args>...> format, Args&&... args) {
  detail::configured_root().debug(format, std::forward<Args>(args)...);
}
template <class... Args>
void info(FormatString<std::type_identity_t<Args>...> format, Args&&... args) {
  detail::configured_root().info(format, std::forward<Args>(args)...);
}
template <class... Args>
void warning(FormatString<std::type_identity_t<Args>...> format, Args&&... args) {
  detail::configured_root().warning(format, std::forward<Args>(args)...);
}
template <class... Args>
void error(FormatString<std::type_identity_t<Args>...> format, Args&&... args) {
  detail::configured_root().error(format, std::forward<Args>(args)...);
}
template <class... Args>
void critical(FormatString<std::type_identity_t<Args>...> format, Args&&... args) {
  detail::configured_root().critical(format, std::forward<Args>(args)...);
}
template <class... Args>
void log(Level level, FormatString<std::type_identity_t<Args>...> format, Args&&... args) {
  detail::configured_root().log(level, format, std::forward<Args>(args)...);
}
template <class... Args>
void exception(FormatString<std::type_identity_t<Args>...> format, Args&&... args) {
  detail::configured_root().exception(format, std::forward<Args>(args)...);
}

}  // namespace conc::logging

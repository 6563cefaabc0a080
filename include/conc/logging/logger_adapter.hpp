// LoggerAdapter: a logger whose records all carry certain fields.
#pragma once

#include <conc/export.hpp>
#include <conc/logging/field.hpp>
#include <conc/logging/logger.hpp>
#include <conc/logging/record.hpp>

#include <initializer_list>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace conc::logging {

// Logs on its logger, with its own fields before those of the call:
//
//   const logging::LoggerAdapter log(logging::get_logger("shop"), {{"customer", id}});
//   log.info("paid {}", sum, field("method", "card"));       // customer=17 method=card
//
// A value: copies share the fields. Any thread may use it at any time.
//
// Python: logging.LoggerAdapter, with merge_extra=True
class LoggerAdapter {
 public:
  // The fields are copied. Throws std::bad_alloc.
  CONC_LOGGING_EXPORT LoggerAdapter(const Logger& logger, std::initializer_list<FieldItem> fields);

  // The same on top of another adapter's fields.
  CONC_LOGGING_EXPORT LoggerAdapter(const LoggerAdapter& outer,
                                    std::initializer_list<FieldItem> fields);

  [[nodiscard]] const Logger& logger() const noexcept { return *logger_; }
  [[nodiscard]] std::span<const Field> fields() const noexcept { return fields_->record().fields; }
  [[nodiscard]] bool is_enabled_for(Level level) const noexcept {
    return logger_->is_enabled_for(level);
  }

  // As the logger's calls of these names.
  template <class... Args>
  void debug(FormatString<std::type_identity_t<Args>...> format, Args&&... args) const {
    log(Level::debug, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void info(FormatString<std::type_identity_t<Args>...> format, Args&&... args) const {
    log(Level::info, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void warning(FormatString<std::type_identity_t<Args>...> format, Args&&... args) const {
    log(Level::warning, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void error(FormatString<std::type_identity_t<Args>...> format, Args&&... args) const {
    log(Level::error, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void critical(FormatString<std::type_identity_t<Args>...> format, Args&&... args) const {
    log(Level::critical, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void log(Level level, FormatString<std::type_identity_t<Args>...> format, Args&&... args) const {
    if (is_enabled_for(level)) [[unlikely]] {
      detail::log_call(*logger_, {level, false, format.message(), format.site(), fields()},
                       args...);
    }
  }
  template <class... Args>
  void exception(FormatString<std::type_identity_t<Args>...> format, Args&&... args) const {
    if (is_enabled_for(Level::error)) [[unlikely]] {
      detail::log_call(*logger_, {Level::error, true, format.message(), format.site(), fields()},
                       args...);
    }
  }

 private:
  LoggerAdapter(const Logger& logger, std::span<const Field> before,
                std::initializer_list<FieldItem> fields);

  const Logger* logger_;
  std::shared_ptr<const OwnedRecord> fields_;  // the record has nothing else
};

}  // namespace conc::logging

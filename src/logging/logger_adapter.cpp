#include <conc/logging/logger_adapter.hpp>

#include <vector>

namespace conc::logging {

LoggerAdapter::LoggerAdapter(const Logger& logger, std::span<const Field> before,
                             std::initializer_list<FieldItem> fields)
    : logger_(&logger) {
  std::vector<Field> all(before.begin(), before.end());
  for (const FieldItem& item : fields) all.push_back(item.get());
  fields_ = std::make_shared<const OwnedRecord>(LogRecord{.fields = all});
}

LoggerAdapter::LoggerAdapter(const Logger& logger, std::initializer_list<FieldItem> fields)
    : LoggerAdapter(logger, std::span<const Field>(), fields) {}

LoggerAdapter::LoggerAdapter(const LoggerAdapter& outer, std::initializer_list<FieldItem> fields)
    : LoggerAdapter(outer.logger(), outer.fields(), fields) {}

}  // namespace conc::logging

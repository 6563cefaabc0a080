// A number's format does not suit a string.
#include <conc/logging/logger.hpp>

#include <string>

void log(const conc::logging::Logger& logger, const std::string& text) {
#ifdef RIGHT
  logger.log(conc::logging::Level::info, "{:d}", text.size());
#else
  logger.log(conc::logging::Level::info, "{:d}", text);
#endif
}

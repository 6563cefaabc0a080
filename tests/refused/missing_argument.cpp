// A replacement field needs an argument.
#include <conc/logging/logger.hpp>

#include <string>

void log(const conc::logging::Logger& logger, const std::string& text) {
#ifdef RIGHT
  logger.info("{} of {}", text, 2);
#else
  logger.info("{} of {}", text);
#endif
}

// Text that is not known to the compiler is an argument, not a format.
#include <conc/logging/logger.hpp>

#include <string>

void log(const conc::logging::Logger& logger, const std::string& text) {
#ifdef RIGHT
  logger.exception("{}", text);
#else
  logger.exception(text);
#endif
}

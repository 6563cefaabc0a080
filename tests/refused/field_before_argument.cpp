// Fields stand behind the arguments of the message.
#include <conc/logging/logger.hpp>

#include <string>

void log(const conc::logging::Logger& logger, const std::string& text) {
#ifdef RIGHT
  logger.error("{}", text, conc::logging::field("n", 1));
#else
  logger.error("{}", conc::logging::field("n", 1), text);
#endif
}

// Configures a logger from JSON, and is told of a mistake, which is thrown across the library's
// border.
#include <conc/logging.hpp>
#include <conc/logging/config.hpp>

int main() {
  conc::logging::dict_config(R"({"version": 1,
    "handlers": {"console": {"class": "StreamHandler"}},
    "root": {"level": "INFO", "handlers": ["console"]}})");
  conc::logging::get_logger("consumer").info("{} cups are ready", 3);
  try {
    conc::logging::dict_config("{}");
  } catch (const conc::logging::ConfigError& error) {
    return error.mistakes().size() == 1 ? 0 : 1;
  }
  return 1;
}

// SPDX-License-Identifier: MIT-0
//
// Logging configured by a file, 36_logging_config.json, which an operator may change without the
// program being built again. Mistakes in it are all named, and leave everything as it was.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include <conc/logging.hpp>
#include <conc/logging/config.hpp>

namespace fs = std::filesystem;
namespace logging = conc::logging;

int main(int argc, char** argv) {
  const fs::path config = argc > 1 ? argv[1] : "36_logging_config.json";
  // Names of files in a configuration count from the current directory.
  const fs::path directory = fs::temp_directory_path() / "conc-example-config";
  const fs::path file = fs::absolute(config);
  fs::create_directory(directory);
  fs::current_path(directory);

  try {
    logging::config_file(file);
  } catch (const logging::ConfigError& error) {
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
  }
  const logging::Logger& log = logging::get_logger("shop");
  const logging::Logger& db = logging::get_logger("shop.db");
  log.info("open");
  db.debug("connected");  // in the file alone: the console begins with INFO
  db.warning("slow: {} ms", 250);

  // Settings that change while the program runs, over the network say.
  logging::dict_config(R"({"version": 1, "incremental": true,
                           "handlers": {"console": {"level": "ERROR"}}})");
  log.warning("not on the console any more");

  // With mistakes nothing changes.
  try {
    logging::dict_config(R"({
      "version": 1,
      "handlers": {"file": {"class": "FileHandler", "level": "LOUD", "fliename": "shop.log"}},
      "root": {"handlers": ["fiel"]}
    })");
  } catch (const logging::ConfigError& error) {
    for (const std::string& mistake : error.mistakes()) {
      std::cout << mistake.substr(0, mistake.find(';')) << '\n';
    }
  }
  log.error("closed");

  logging::shutdown();
  std::cout << "shop.log:\n" << std::ifstream("shop.log").rdbuf();
  fs::current_path(directory.parent_path());
  fs::remove_all(directory);
}

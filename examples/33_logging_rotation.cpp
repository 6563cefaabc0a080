// SPDX-License-Identifier: MIT-0
//
// A log file that does not grow for ever: the current lines are in app.log, older ones in app.log.1
// and app.log.2, and the oldest are gone.

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>

#include <conc/logging.hpp>

namespace fs = std::filesystem;
namespace logging = conc::logging;

// The files of the directory with their lines, by name.
void show(const fs::path& directory) {
  for (const char* name : {"app.log", "app.log.1", "app.log.2", "app.log.3"}) {
    std::ifstream file(directory / name);
    if (!file) continue;
    std::cout << name << ':';
    for (std::string line; std::getline(file, line);) std::cout << " [" << line << ']';
    std::cout << '\n';
  }
}

int main() {
  const fs::path directory = fs::temp_directory_path() / "conc-example-rotation";
  fs::remove_all(directory);
  fs::create_directory(directory);

  // A file stays below 40 bytes, and two old ones are kept. In a program it would be megabytes.
  const auto file = std::make_shared<logging::RotatingFileHandler>(
      directory / "app.log", logging::RotatingOptions{.max_bytes = 40, .backup_count = 2});
  logging::basic_config(
      {.level = logging::Level::info, .format = "%(levelname)s %(message)s", .handlers = {file}});

  for (int i = 1; i <= 7; ++i) logging::info("order {}", i);
  file->flush();  // at the latest a second from now it would do so by itself
  show(directory);

  // By time instead, "midnight" for a file a day. What counts is the time of the record.
  logging::TimedRotatingFileHandler daily(directory / "daily.log",
                                          {.when = "midnight", .backup_count = 7});
  daily.handle({.level = logging::Level::info,
                .message = "noon",
                .created = std::chrono::system_clock::now()});
  daily.handle({.level = logging::Level::info,
                .message = "noon tomorrow",
                .created = std::chrono::system_clock::now() + std::chrono::hours(24)});
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("daily.log.")) std::cout << "the file of the day before: " << name << '\n';
  }

  logging::shutdown();
  fs::remove_all(directory);
}

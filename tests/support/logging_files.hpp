// What the tests of file handlers share: a directory of their own.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "logging_fixture.hpp"

namespace conc::test {

namespace fs = std::filesystem;

class LoggingFileTest : public LoggingTest {
 protected:
  void SetUp() override {
    LoggingTest::SetUp();
    std::string pattern = (fs::temp_directory_path() / "conc-logging-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override {
    LoggingTest::TearDown();
    fs::remove_all(directory_);
  }

  [[nodiscard]] fs::path file(const char* name = "app.log") const { return directory_ / name; }

  [[nodiscard]] static std::string content(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  static void write(const fs::path& path, const char* text) { std::ofstream(path) << text; }

  // The names of all files in the directory.
  [[nodiscard]] std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory_)) {
      names.insert(entry.path().filename().string());
    }
    return names;
  }

  fs::path directory_;
};

}  // namespace conc::test

// LateFiles: the files of a configuration, opened all or none.
#pragma once

#include <filesystem>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include "json_text.hpp"
#include "section.hpp"

namespace conc::logging::detail {

class LateFiles {
 public:
  LateFiles() = default;
  LateFiles(const LateFiles&) = delete;
  LateFiles& operator=(const LateFiles&) = delete;
  // Closes the files that no handler got, and deletes those of them that it made.
  ~LateFiles();

  void add(LateOpening opening) { files_.push_back({.opening = std::move(opening)}); }

  // Opens those that it can tell nobody of by that; the others it asks for leave to write. What is
  // in them stays.
  void probe(Mistakes& mistakes);
  // Opens the others. When it has all, truncates those that are to be, and gives each to its
  // handler.
  void open(Mistakes& mistakes);

 private:
  struct File {
    LateOpening opening;
    int fd = -1;
    std::filesystem::path made = {};  // by this opening; else empty
    struct ::stat made_file = {};
  };

  [[nodiscard]] static bool probe(File& file);
  [[nodiscard]] static bool open(File& file);
  static void complain(const File& file, const char* what, Mistakes& mistakes);

  std::vector<File> files_;
};

}  // namespace conc::logging::detail

// LateFiles: the files of a configuration, opened all or none.
#pragma once

#include <filesystem>
#include <vector>

#include "json_text.hpp"
#include "section.hpp"

namespace conc::logging::detail {

class LateFiles {
 public:
  LateFiles() = default;
  LateFiles(const LateFiles&) = delete;
  LateFiles& operator=(const LateFiles&) = delete;
  // Deletes the files that it made, unless they are kept.
  ~LateFiles();

  void add(LateOpening opening) { openings_.push_back(std::move(opening)); }

  // Tries whether they can be written to, which makes those that are not there and changes none.
  void probe(Mistakes& mistakes);
  [[nodiscard]] bool any_truncates() const noexcept;
  // Opens them, those that lose what is in them last.
  void open(Mistakes& mistakes);
  void keep() noexcept { made_.clear(); }

 private:
  bool can_be_written(const std::filesystem::path& path);

  std::vector<LateOpening> openings_;
  std::vector<std::filesystem::path> made_;
};

}  // namespace conc::logging::detail

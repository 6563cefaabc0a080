// SPDX-License-Identifier: MIT-0
//
// Going through a tree of files.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace tour {

// Calls found(path) for each regular file below `root`, and unreadable(path, error) for each
// directory that cannot be read to its end. Symbolic links are not followed. Returns whether it
// went through the whole tree; it does not when a stop is requested.
template <class Found, class Unreadable>
bool walk(const std::filesystem::path& root, const std::stop_token& stop, Found found,
          Unreadable unreadable) {
  std::vector<std::filesystem::path> directories{root};
  while (!directories.empty()) {
    const std::filesystem::path directory = std::move(directories.back());
    directories.pop_back();
    std::error_code error;
    for (std::filesystem::directory_iterator entry(directory, error);
         !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
      if (stop.stop_requested()) return false;
      std::error_code unknown;
      if (entry->is_symlink(unknown)) continue;
      if (entry->is_directory(unknown)) {
        directories.push_back(entry->path());
      } else if (entry->is_regular_file(unknown) || unknown) {
        found(entry->path());  // whoever opens it will learn what is wrong with it
      }
    }
    if (error) unreadable(directory, error);
  }
  return true;
}

// A name as it can be shown on one line of a terminal, whatever bytes are in it.
inline std::string shown(std::string_view name) {
  std::string text;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= ' ' && byte != 127 && byte != '\\') {
      text += c;
    } else {
      constexpr char digits[] = "0123456789abcdef";
      text += {'\\', 'x', digits[byte / 16], digits[byte % 16]};
    }
  }
  return text;
}

}  // namespace tour

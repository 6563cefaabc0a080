// SPDX-License-Identifier: MIT-0
//
// The command line.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include "tree.hpp"

namespace tour {

struct Options {
  std::filesystem::path root = "/usr/include";
  std::size_t workers = std::max(1U, std::thread::hardware_concurrency());
  std::size_t top = 20;
  std::filesystem::path log = "00_tour.log";
  bool quiet = false;
  bool once = false;
  bool help = false;
};

inline constexpr std::string_view usage =
    R"(usage: 00_tour [option]... [directory]

Counts the lines, words and bytes of all files below the directory, /usr/include
if there is none given, and shows the most frequent words.

  --workers N   how many threads count: as many as there are CPUs
  --top N       how many words to show: 20
  --log FILE    where to write the log, anew each time: 00_tour.log
  --once        no comparison with a single thread
  --quiet       no progress line
  --help        this

Ctrl-C stops it and shows what there is, marked as partial.
)";

// What the program cannot begin with. Its text is all there is to say.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline std::size_t parse_number(std::string_view option, std::string_view text, std::size_t most) {
  std::size_t number = 0;
  const char* const end = text.data() + text.size();
  const std::from_chars_result parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || number < 1 || number > most) {
    throw Refused(std::string(option) + " takes a number from 1 to " + std::to_string(most) +
                  ", not " + shown(text));
  }
  return number;
}

// Throws Refused for anything that is not in the usage.
inline Options parse(int argc, char** argv) {
  Options options;
  bool has_root = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    const auto value = [&] {
      if (++i == argc) throw Refused(std::string(arg) + " needs a value");
      return argv[i];
    };
    if (arg == "--workers") {
      options.workers = parse_number(arg, value(), 1000);
    } else if (arg == "--top") {
      options.top = parse_number(arg, value(), 1'000'000);
    } else if (arg == "--log") {
      options.log = value();
    } else if (arg == "--once") {
      options.once = true;
    } else if (arg == "--quiet") {
      options.quiet = true;
    } else if (arg == "--help") {
      options.help = true;
    } else if (arg.starts_with('-')) {
      throw Refused("unknown option " + shown(arg) + ", see --help");
    } else if (has_root) {
      throw Refused("one directory is enough, see --help");
    } else {
      options.root = arg;
      has_root = true;
    }
  }
  return options;
}

}  // namespace tour

// A disk that is full: the program goes on, what is lost is counted and said, and writing resumes.

#include <conc/logging.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "child.hpp"

namespace {

using namespace conc::test;
namespace fs = std::filesystem;
namespace logging = conc::logging;

constexpr int cannot_mount = 77;

// Over `directory`, in a name space of this process alone: nothing is left of it afterwards.
bool mount_64_kib(const fs::path& directory) {
  if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  return ::mount("tmpfs", directory.c_str(), "tmpfs", 0, "size=64k") == 0;
}

#define CHECK_OR_END(condition)                               \
  if (!(condition)) {                                         \
    std::cout << "line " << __LINE__ << ": " #condition "\n"; \
    return 1;                                                 \
  }

// The numbers of the whole lines "<n> xxx..." in the files, in order; -1 for a line of another kind
// that is not the beginning of one.
std::vector<std::int64_t> numbers_in(const fs::path& path, const std::string& filling) {
  std::vector<std::int64_t> numbers;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::string whole = line.substr(0, line.find(' ')) + " " + filling;
    if (line == whole) {
      numbers.push_back(std::atoll(line.c_str()));
    } else if (!whole.starts_with(line)) {
      numbers.push_back(-1);
    }
  }
  return numbers;
}

template <class Make>
int fill_and_resume(Make make) {
  std::string name = (fs::temp_directory_path() / "conc-full-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) return 1;
  const fs::path directory = name;
  if (!mount_64_kib(directory)) {
    fs::remove(directory);
    std::cout << std::strerror(errno) << '\n';
    return cannot_mount;
  }
  std::ofstream(directory / "filler") << std::string(32u << 10, 'x') << std::flush;
  const std::shared_ptr<logging::FileHandler> handler = make(directory / "app.log");
  logging::Logger& log = logging::get_logger("full");
  log.set_propagate(false);
  log.add_handler(handler);

  const std::string filling(100, 'x');
  std::int64_t logged = 0;
  const auto write = [&] { log.warning("{} {}", logged++, filling); };
  while (handler->lost() < 50 && logged < 100'000) write();
  CHECK_OR_END(handler->lost() == 50);
  fs::remove(directory / "filler");
  const std::int64_t first_after = logged;
  for (int i = 0; i != 10; ++i) write();
  CHECK_OR_END(handler->lost() == 50);

  std::ostringstream tree;
  logging::logging_tree(tree);
  CHECK_OR_END(tree.str().find("FileHandler \"" + handler->path().string() + "\", 50 lost\n") !=
               std::string::npos);
  handler->close();

  const auto numbers = numbers_in(handler->path(), filling);
  CHECK_OR_END(static_cast<std::int64_t>(numbers.size()) + 50 == logged);
  CHECK_OR_END(numbers.front() >= 0);
  CHECK_OR_END(std::is_sorted(numbers.begin(), numbers.end()));
  CHECK_OR_END(numbers[numbers.size() - 10] == first_after);
  ::umount2(directory.c_str(), MNT_DETACH);
  fs::remove(directory);
  return 0;
}

void expect_that_it_resumes(const char* name) {
  const ChildEnd child = run_child(name);
  if (child.status == cannot_mount) {
    GTEST_SKIP() << "a file system cannot be mounted here: " << child.output;
  }
  EXPECT_EQ(child.status, 0) << child.output;
  EXPECT_NE(child.output.find("No space left on device (1 lost so far)\n"), std::string::npos)
      << child.output;
  EXPECT_NE(child.output.find("app.log\": 50 records lost so far\n"), std::string::npos)
      << child.output;
}

TEST(LoggingFullDisk, FileResumesAndSaysHowManyLinesWereLost) { expect_that_it_resumes("file"); }

TEST(LoggingFullDisk, WatchedFileResumesAndSaysHowManyLinesWereLost) {
  expect_that_it_resumes("watched");
}

// There is no room for the next file either, so it is not rolled over before there is.
TEST(LoggingFullDisk, RotatedFileResumesAndSaysHowManyLinesWereLost) {
  expect_that_it_resumes("rotating");
}

TEST(LoggingFullDisk, DeviceThatIsAlwaysFullLosesAllAndStopsNothing) {
  const ChildEnd child = run_child("always");
  EXPECT_EQ(child.status, 0) << child.output;
  EXPECT_NE(child.output.find("/dev/full\": 1000 records lost so far\n"), std::string::npos)
      << child.output;
  EXPECT_NE(child.output.find("went on\n"), std::string::npos) << child.output;
}

int always_full() {
  const auto handler = std::make_shared<logging::FileHandler>("/dev/full");
  logging::get_logger().add_handler(handler);
  for (int i = 0; i != 1000; ++i) logging::warning("{}", i);
  std::puts("went on");
  return 0;  // shutdown() at exit says what was lost
}

int run(const std::string& name) {
  if (name == "file") {
    return fill_and_resume(
        [](const fs::path& path) { return std::make_shared<logging::FileHandler>(path); });
  }
  if (name == "watched") {
    return fill_and_resume(
        [](const fs::path& path) { return std::make_shared<logging::WatchedFileHandler>(path); });
  }
  if (name == "rotating") {
    return fill_and_resume([](const fs::path& path) {
      return std::make_shared<logging::RotatingFileHandler>(
          path, logging::RotatingOptions{.max_bytes = 60u << 10, .backup_count = 1});
    });
  }
  return always_full();
}

// Before main(), so that the tests' own does not run.
[[maybe_unused]] const bool ran = [] {
  if (scenario() != nullptr) std::exit(run(scenario()));
  return true;
}();

}  // namespace

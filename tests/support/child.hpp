// Runs a scenario in a process of its own: the same test program, started anew with the name of the
// scenario in its environment, because what happens at the end of a process needs one that ends.
#pragma once

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace conc::test {

struct ChildEnd {
  int status = -1;     // of exit; 128 + n when signal n ended it; -1 when it had to be killed
  std::string output;  // of stdout and stderr together
};

// `settings` are more entries for the environment, such as "CONC_WATCHDOG=1s".
inline ChildEnd run_child(const std::string& scenario, std::vector<std::string> settings = {}) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {};
  settings.push_back("CONC_TEST_SCENARIO=" + scenario);
  // A daemon may be cut off while it is about to join a thread, which ThreadSanitizer calls a leak.
  const char* const options = std::getenv("TSAN_OPTIONS");
  settings.push_back("TSAN_OPTIONS=" + std::string(options != nullptr ? options : "") +
                     " report_thread_leaks=0");
  std::vector<char*> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (std::string_view(*entry).substr(0, 13) != "TSAN_OPTIONS=") environment.push_back(*entry);
  }
  for (std::string& setting : settings) environment.push_back(setting.data());
  environment.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
  char program[] = "/proc/self/exe";
  char* arguments[] = {program, nullptr};
  ::pid_t child = 0;
  const int failed =
      ::posix_spawn(&child, program, &actions, nullptr, arguments, environment.data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  ChildEnd end;
  if (failed == 0) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    bool late = false;
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          limit - std::chrono::steady_clock::now());
      ::pollfd ready{ends[0], POLLIN, 0};
      const int count = left.count() > 0 ? ::poll(&ready, 1, static_cast<int>(left.count())) : 0;
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) {
        late = true;
        ::kill(child, SIGKILL);
        break;
      }
      char buffer[4096];
      const ::ssize_t got = ::read(ends[0], buffer, sizeof buffer);
      if (got <= 0) break;
      end.output.append(buffer, static_cast<std::size_t>(got));
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!late) end.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  ::close(ends[0]);
  return end;
}

// The scenario that this process is to run, or nullptr when it is the test itself.
inline const char* scenario() noexcept { return std::getenv("CONC_TEST_SCENARIO"); }

// For main(): runs the scenario that this process was started for, of those in the map, and returns
// its status, 99 when there is none of that name; or nothing when the process is the test itself.
template <class Scenarios>
std::optional<int> run_scenario(const Scenarios& scenarios) {
  const char* const name = scenario();
  if (name == nullptr) return std::nullopt;
  const auto found = scenarios.find(name);
  return found != scenarios.end() ? found->second() : 99;
}

}  // namespace conc::test

#include "cpus.hpp"

#include <conc/detail/machine.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>

#if defined(__linux__)
#include <sched.h>
#endif

namespace conc::detail {
namespace {

#if defined(__linux__)

// A file of one or a few short lines, "" when there is none.
std::string read_file(const std::string& path) {
  std::string text;
  if (std::FILE* const file = std::fopen(path.c_str(), "re")) {
    char buffer[4096];
    while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, file))
      text.append(buffer, got);
    std::fclose(file);
  }
  return text;
}

// Whole processors in a quota of `quota` microseconds in every `period`, rounded up; 0 for no
// quota.
std::size_t whole_cpus(long long quota, long long period) noexcept {
  if (quota <= 0 || period <= 0) return 0;
  return static_cast<std::size_t>((quota + period - 1) / period);
}

// Version 2: "max 100000" or "150000 100000". 0 when there is no limit.
std::size_t quota_v2(const std::string& directory) {
  long long quota = 0;
  long long period = 0;
  if (std::sscanf(read_file(directory + "/cpu.max").c_str(), "%lld %lld", &quota, &period) != 2)
    return 0;
  return whole_cpus(quota, period);
}

// Version 1: two files, with -1 for no quota.
std::size_t quota_v1(const std::string& directory) {
  long long quota = 0;
  long long period = 0;
  if (std::sscanf(read_file(directory + "/cpu.cfs_quota_us").c_str(), "%lld", &quota) != 1 ||
      std::sscanf(read_file(directory + "/cpu.cfs_period_us").c_str(), "%lld", &period) != 1) {
    return 0;
  }
  return whole_cpus(quota, period);
}

// The smallest quota of the group `path` and those around it; the process sees its own group at the
// mount point itself when it is in a container. 0 when there is no limit.
template <class Quota>
std::size_t smallest_quota(const std::string& mount, std::string path, Quota quota) {
  std::size_t least = 0;
  const auto consider = [&least](std::size_t cpus) {
    if (cpus != 0 && (least == 0 || cpus < least)) least = cpus;
  };
  while (!path.empty() && path != "/") {
    consider(quota(mount + path));
    path.resize(path.find_last_of('/'));
  }
  consider(quota(mount));
  return least;
}

// Lines of /proc/self/cgroup: "0::/path" for version 2, "4:cpu,cpuacct:/path" for version 1.
std::size_t cgroup_cpus() {
  const std::string groups = read_file("/proc/self/cgroup");
  std::size_t least = 0;
  for (std::size_t begin = 0; begin < groups.size();) {
    std::size_t end = groups.find('\n', begin);
    if (end == std::string::npos) end = groups.size();
    const std::string line = groups.substr(begin, end - begin);
    begin = end + 1;

    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos || second + 1 == line.size() || line[second + 1] != '/')
      continue;
    std::string controllers(1, ',');
    controllers.append(line, first + 1, second - first - 1).push_back(',');
    const std::string path = line.substr(second + 1);

    std::size_t cpus = 0;
    if (controllers == ",,") {
      cpus = smallest_quota("/sys/fs/cgroup", path, quota_v2);
    } else if (controllers.find(",cpu,") != std::string::npos) {
      cpus = smallest_quota("/sys/fs/cgroup/cpu", path, quota_v1);
    }
    if (cpus != 0 && (least == 0 || cpus < least)) least = cpus;
  }
  return least;
}

std::size_t affinity_cpus() noexcept {
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof usable, &usable) != 0) return 0;
  return static_cast<std::size_t>(CPU_COUNT(&usable));
}

#endif

}  // namespace

std::size_t usable_cpus() noexcept {
  std::size_t cpus = NativeThread::hardware_concurrency();
#if defined(__linux__)
  if (const std::size_t allowed = affinity_cpus()) cpus = allowed;
  try {
    if (const std::size_t granted = cgroup_cpus()) cpus = std::min(cpus, granted);
  } catch (...) {
    // No memory to read the files: the affinity is a good answer as well.
  }
#endif
  return std::max<std::size_t>(cpus, 1);
}

}  // namespace conc::detail

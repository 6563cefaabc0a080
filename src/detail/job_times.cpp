#include "job_times.hpp"

namespace conc::detail {

ThreadPoolStats::Times Times::summary() const noexcept {
  std::uint64_t total = 0;
  for (const std::uint64_t count : counts_) total += count;
  // The time that `part` of a hundred do not exceed.
  const auto percentile = [this, total](std::uint64_t part) {
    std::uint64_t left = (total * part + 99) / 100;
    std::uint64_t longest = 0;
    for (std::size_t i = 0; i < buckets && left != 0; ++i) {
      if (counts_[i] == 0) continue;
      longest = end_of(i);
      left -= counts_[i] < left ? counts_[i] : left;
    }
    return std::chrono::nanoseconds(longest);
  };
  return {percentile(50), percentile(90), percentile(99), percentile(100)};
}

}  // namespace conc::detail

// How long jobs wait and run, as counts in buckets of growing width.
#pragma once

#include <conc/detail/machine.hpp>
#include <conc/thread_pool_executor.hpp>

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace conc::detail {

[[nodiscard]] inline std::uint64_t now_in_ns() noexcept {
  using std::chrono::nanoseconds;
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<nanoseconds>(SteadyClock::now().time_since_epoch()).count());
}

// A distribution of times. Eight buckets for each power of two of nanoseconds, so a time is known
// to within an eighth.
class Times {
 public:
  static constexpr std::size_t buckets = 8 * 62;

  static constexpr std::size_t bucket_of(std::uint64_t ns) noexcept {
    if (ns < 8) return static_cast<std::size_t>(ns);
    const auto power = static_cast<unsigned>(std::bit_width(ns)) - 4;  // ns >> power is 8 to 15
    return 8 * power + static_cast<std::size_t>(ns >> power);
  }
  // The longest time in the bucket.
  static constexpr std::uint64_t end_of(std::size_t bucket) noexcept {
    if (bucket < 16) return bucket;
    const std::size_t power = bucket / 8 - 1;
    return ((bucket % 8 + 9) << power) - 1;
  }

  void add(const Times& other) noexcept {
    for (std::size_t i = 0; i < buckets; ++i) counts_[i] += other.counts_[i];
  }
  void add(std::size_t bucket, std::uint64_t count) noexcept { counts_[bucket] += count; }

  [[nodiscard]] ThreadPoolStats::Times summary() const noexcept;

 private:
  std::array<std::uint64_t, buckets> counts_{};
};

// The same, written by one thread while others read.
class LiveTimes {
 public:
  void add(std::uint64_t ns) noexcept {
    auto& count = counts_[Times::bucket_of(ns)];
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  void add_to(Times& times) const noexcept {
    for (std::size_t i = 0; i < Times::buckets; ++i) {
      times.add(i, counts_[i].load(std::memory_order_relaxed));
    }
  }

 private:
  std::array<Atomic<std::uint32_t>, Times::buckets> counts_{};
};

}  // namespace conc::detail

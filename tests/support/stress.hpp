// How long the stress tests run.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>

namespace conc::test {

// `count` rounds, times CONC_STRESS_SCALE in the environment; one at least.
[[nodiscard]] inline std::int64_t rounds(std::int64_t count) {
  static const double scale = [] {
    const char* const text = std::getenv("CONC_STRESS_SCALE");
    const double value = text != nullptr ? std::atof(text) : 1.0;
    return value > 0 ? value : 1.0;
  }();
  const double scaled = static_cast<double>(count) * scale;
  return scaled < 1 ? 1 : static_cast<std::int64_t>(scaled);
}

// Random numbers of one thread, the same in every run.
class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  // From 0 up to, not including, `sides`.
  int roll(int sides) { return static_cast<int>(engine_() % static_cast<unsigned>(sides)); }

 private:
  std::minstd_rand engine_;
};

}  // namespace conc::test

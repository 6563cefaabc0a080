#include <conc/detail/carried.hpp>
#include <conc/detail/job.hpp>
#include <conc/hooks.hpp>

#include <atomic>
#include <exception>
#include <memory>

namespace conc::detail {
namespace {

// A posted call and what goes along with it. Posted calls are short of room, and have no future
// that would have to find them in a queue; so it is another job around the first.
class CarryingJob final : public Job {
 public:
  explicit CarryingJob(Job& job) noexcept : job_(job) {}

  // Whether there is anything to carry.
  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(carried_); }

  Ended run() noexcept override {
    Ended ended{};
    {
      const Carried::Scope scope(carried_);
      ended = job_.run();
    }
    delete this;
    return ended;
  }

  void drop(Drop why) noexcept override {
    job_.drop(why);
    delete this;
  }

 private:
  Job& job_;
  const Carried carried_;
};

}  // namespace

Job& with_carried(Job& job) {
  if (carry_hook.load(std::memory_order_relaxed) == nullptr) [[likely]]
    return job;
  auto carrying = std::make_unique<CarryingJob>(job);
  return *carrying ? *carrying.release() : job;
}

void report_posted() noexcept {
  report({"conc.future", Severity::error, "A posted call threw", std::current_exception()});
}

}  // namespace conc::detail

// BareNode: a place in a wait list for a thread that has no record.
#pragma once

#include <conc/detail/machine.hpp>
#include <conc/detail/waiting.hpp>

#include <mutex>

namespace conc::detail {

// Where a thread waits that has no memory to become known to the library, as a ThreadNode would
// have it: at the end of the process, where nothing may fail. No dump shows such a wait.
class BareNode final : public WaitNode {
 public:
  BareNode() noexcept : WaitNode(&BareNode::wake_it) {}

  // Blocks. With no lock held, after the node was put into a list.
  void sleep_until_woken() noexcept {
    std::unique_lock lock(mutex_);
    bed_.wait(lock, [this] { return woken_; });
  }

 private:
  static void wake_it(WaitNode& base) noexcept {
    auto& node = static_cast<BareNode&>(base);
    const std::lock_guard lock(node.mutex_);
    node.woken_ = true;
    node.bed_.notify_one();
  }

  Mutex mutex_;
  CondVar bed_;
  bool woken_ = false;
};

}  // namespace conc::detail

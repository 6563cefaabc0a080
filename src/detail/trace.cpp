// Tells of the calls in which threads fall asleep, if the environment asks for it.

#include <conc/detail/machine.hpp>
#include <conc/detail/no_signals.hpp>
#include <conc/detail/thread_record.hpp>
#include <conc/detail/waiting.hpp>
#include <conc/hooks.hpp>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fork.hpp"
#include "thread_registry.hpp"
#include "wait_words.hpp"

namespace conc::detail {
namespace {

constinit Atomic<bool> traced{false};
constinit Atomic<bool (*)() noexcept> left_out{nullptr};

// `"Bill" (3) waits to acquire Lock "gun" held by "Jack" (2)`
std::string sentence(const WaitReason& reason, ThreadId sleeper) {
  auto& threads = ThreadRegistry::instance();
  std::string text = quoted(threads.name_of(sleeper), sleeper) + ' ' + describe(reason);
  if (const ThreadId holder = holder_of(reason); holder != 0) {
    text += std::string(" ") + held_by(words_of(reason.kind).type);
    text += quoted(threads.name_of(holder), holder);
  }
  return text;
}

// Reports by a thread of its own. Who is about to sleep is in a wait list already: if he reported
// himself, and the receiver had to wait for the same lock, he would wait for himself.
class Teller {
 public:
  // Never destroyed, since threads may wait after the globals are gone.
  static Teller& instance() {
    static Teller* const teller = new Teller;
    return *teller;
  }

  // Whether the calling thread is the one that reports.
  static bool is_here() noexcept { return here_; }

  // Leaves it out when too many wait to be reported, or there is no thread to be had.
  void tell(std::string text) {
    const std::lock_guard lock(mutex_);
    if (texts_.size() == most) return;
    if (!started_) {
      const NoSignals none;
      NativeThread([this] { run(); }).detach();
      started_ = true;
    }
    texts_.push_back(std::move(text));
    there_is_one_.notify_one();
  }

 private:
  static constexpr std::size_t most = 10'000;
  static constexpr std::chrono::seconds patience_at_exit{1};

  Teller() {
    guard_over_fork(mutex_, []() noexcept { instance().start_over(); });
    // Not by wait_at_exit(), whose first registration says which static objects outlive the threads:
    // this one is made before any of the program's.
    std::atexit([] { instance().finish(); });
  }

  [[noreturn]] void run() noexcept {
    here_ = true;
    try {
      begin_this_thread("conc.trace", true);
    } catch (const std::bad_alloc&) {
      // It is known by another name, if it needs one.
    }
    std::vector<std::string> texts;
    for (std::unique_lock lock(mutex_);;) {
      there_is_one_.wait(lock, [this] { return !texts_.empty(); });
      texts.swap(texts_);
      reporting_ = true;
      lock.unlock();
      for (const std::string& text : texts) report({"conc.trace", Severity::debug, text});
      texts.clear();
      lock.lock();
      reporting_ = false;
      all_told_.notify_one();
    }
  }

  // At the end of the process. A receiver that is stuck does not keep it from ending.
  void finish() noexcept {
    std::unique_lock lock(mutex_);
    all_told_.wait_for(lock, patience_at_exit, [this] { return texts_.empty() && !reporting_; });
  }

  // In the child of a fork, where the thread is gone.
  void start_over() noexcept {
    std::construct_at(&there_is_one_);
    std::construct_at(&all_told_);
    texts_.clear();
    reporting_ = started_ = false;
  }

  static constinit thread_local bool here_;

  Mutex mutex_;
  CondVar there_is_one_;  // only the teller waits for it
  CondVar all_told_;      // only the thread that ends the process waits for it
  // Guarded by mutex_.
  std::vector<std::string> texts_;
  bool started_ = false;
  bool reporting_ = false;
};

constinit thread_local bool Teller::here_ = false;

[[maybe_unused]] const bool at_load = [] {
  const char* const text = std::getenv("CONC_TRACE");
  const std::string_view word = text != nullptr ? text : "";
  if (word == "1") {
    Teller::instance();
    traced.store(true, std::memory_order_relaxed);
  } else if (word != "0" && !word.empty()) {
    std::fprintf(stderr, "conc: CONC_TRACE=%s is neither 0 nor 1. Waits are not traced.\n", text);
  }
  return true;
}();

}  // namespace

void trace(const WaitReason& reason, ThreadId sleeper) noexcept {
  if (!traced.load(std::memory_order_relaxed)) return;
  if (is_idle(reason.kind) || reason.kind == WaitKind::short_lock || Teller::is_here()) return;
  if (const auto is_left_out = left_out.load(std::memory_order_relaxed)) {
    if (is_left_out()) return;
  }
  try {
    Teller::instance().tell(sentence(reason, sleeper));
  } catch (const std::exception&) {
    // No memory, or no thread. The wait is what matters.
  }
}

void leave_out_of_trace(bool (*is_left_out)() noexcept) noexcept {
  left_out.store(is_left_out, std::memory_order_relaxed);
}

}  // namespace conc::detail

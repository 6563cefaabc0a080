#include "thread_registry.hpp"

#include <conc/detail/waiting.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

#include "fork.hpp"

namespace conc::detail {
namespace {

std::int64_t native_thread_id() noexcept {
#if defined(__linux__)
  return ::syscall(SYS_gettid);
#elif defined(__APPLE__)
  std::uint64_t id = 0;
  pthread_threadid_np(nullptr, &id);
  return static_cast<std::int64_t>(id);
#else
  return 0;
#endif
}

std::int64_t process_id() noexcept { return ::getpid(); }

bool is_main_thread(std::int64_t native_id) noexcept {
#if defined(__linux__)
  return native_id == process_id();
#else
  static_cast<void>(native_id);
  return pthread_main_np() != 0;
#endif
}

[[maybe_unused]] const bool at_load = (ThreadRegistry::instance(), true);

constinit Atomic<bool> watchdog_asked_for{false};

void note_change(ThreadRecord& record) noexcept {
  record.name_changes.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

constinit thread_local ThreadRecord* ThreadRegistry::here_ = nullptr;

// The destructor of a thread-specific key runs after those of all thread_local objects, which may
// still use the library; should a later key's destructor do so, the thread is met again and this
// one runs once more.
ThreadRegistry::ThreadRegistry() {
  if (pthread_key_create(&at_thread_end_, [](void* record) {
        here_ = nullptr;
        this_thread_id = 0;
        instance().leave(*static_cast<ThreadRecord*>(record));
      }) != 0) {
    throw std::bad_alloc();
  }
  make_room();
  auto record = std::make_unique<ThreadRecord>();
  record->name = "MainThread";
  note_change(*record);
  main_ = record.release();
  live_.push_back(main_);
  expect_main();
  guard_over_fork(mutex_, []() noexcept { instance().start_over(); });
}

ThreadRecord& ThreadRegistry::meet(std::string* name, bool daemon) {
  ThreadRegistry& registry = instance();
  ThreadRecord& record = registry.enter(name, daemon);
  if (pthread_setspecific(registry.at_thread_end_, &record) != 0) {
    registry.leave(record);
    throw std::bad_alloc();
  }
  here_ = &record;
  this_thread_id = record.id;
  if (!watchdog_asked_for.load(std::memory_order_relaxed) &&
      !watchdog_asked_for.exchange(true, std::memory_order_relaxed)) {
    start_watchdog_if_asked();
  }
  return record;
}

ThreadRecord& ThreadRegistry::enter(std::string* given_name, bool daemon) {
  std::unique_ptr<ThreadRecord> made;
  const std::lock_guard lock(mutex_);
  const std::int64_t native_id = native_thread_id();
  if (main_ != nullptr && !main_is_here_ && is_main_thread(native_id)) {
    main_->native_handle = pthread_self();
    main_is_here_ = true;
    return *main_;
  }
  if (spare_.empty()) {
    made = std::make_unique<ThreadRecord>();
    make_room();
  }
  ThreadRecord& record = made ? *made : *spare_.back();
  const bool foreign = given_name == nullptr;
  std::string name = foreign ? "Dummy-" + std::to_string(dummies_ + 1) : std::move(*given_name);
  // Nothing throws from here on.
  if (made) {
    live_.push_back(made.release());
  } else {
    live_.push_back(spare_.back());
    spare_.pop_back();
  }
  if (foreign) ++dummies_;
  const std::lock_guard naming(record.mutex);
  record.name = std::move(name);
  note_change(record);
  record.ended = false;
  record.id = ++last_id_;
  record.native_id = native_id;
  record.native_handle = pthread_self();
  record.main = false;
  record.daemon = daemon;
  record.foreign = foreign;
  return record;
}

void ThreadRegistry::leave(ThreadRecord& record) noexcept {
  const std::lock_guard lock(mutex_);
  live_.erase(std::find(live_.begin(), live_.end(), &record));
  spare_.push_back(&record);
  if (&record == main_) main_ = nullptr;
}

void ThreadRegistry::end(ThreadRecord& record) noexcept {
  const std::lock_guard lock(mutex_);
  record.ended = true;
}

void ThreadRegistry::set_name(ThreadRecord& record, std::string name) {
  const std::lock_guard lock(mutex_);
  const std::lock_guard naming(record.mutex);
  record.name.swap(name);
  note_change(record);
}

std::string ThreadRegistry::name_of(ThreadId id) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(live_.begin(), live_.end(),
                                  [id](const ThreadRecord* record) { return record->id == id; });
  return found != live_.end() ? (*found)->name : std::string();
}

void ThreadRegistry::visit(const std::function<void(ThreadRecord&)>& visit) {
  const std::lock_guard lock(mutex_);
  for (ThreadRecord* const record : live_) {
    if (!record->ended) visit(*record);
  }
}

std::size_t ThreadRegistry::count() noexcept {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count_if(
      live_.begin(), live_.end(), [](const ThreadRecord* record) { return !record->ended; }));
}

// Room for one more record in either list for ever, so that leave() cannot fail.
void ThreadRegistry::make_room() {
  live_.reserve(live_.size() + spare_.size() + 1);
  spare_.reserve(live_.size() + spare_.size() + 1);
}

// The main thread is listed even if it has not come into the library yet.
void ThreadRegistry::expect_main() noexcept {
  main_->id = ++last_id_;
  main_->native_id = process_id();
  main_->main = true;
  main_->daemon = false;
  main_->foreign = false;
  main_->ended = false;
  main_is_here_ = false;
}

// In the child of a fork, where only the thread that forked is left, and is the main thread. The
// other records are made anew in place: their threads may have held or waited for what is in them.
void ThreadRegistry::start_over() noexcept {
  for (ThreadRecord* const record : live_) {
    std::construct_at(&record->mutex);
    std::construct_at(&record->bed);
  }
  for (ThreadRecord* const record : live_) {
    ThreadNode* const node = std::exchange(record->sleeps_in, nullptr);
    if (record == here_) continue;
    if (node != nullptr && node->asleep()) forget_sleeper(*node);
    spare_.push_back(record);
  }
  live_.clear();
  if (here_ != nullptr) {
    main_ = here_;
    main_->native_id = native_thread_id();
    main_->main = true;
    if (std::exchange(main_->foreign, false)) main_->daemon = false;
    main_is_here_ = true;
  } else {
    main_ = spare_.back();
    spare_.pop_back();
    main_->name.assign("MainThread", 10);  // fits into any string without an allocation
    note_change(*main_);
    expect_main();
  }
  live_.push_back(main_);
}

}  // namespace conc::detail

#include <conc/detail/thread_record.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <pthread.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

#include "fork.hpp"

namespace conc::detail {

constinit thread_local ThreadId this_thread_id = 0;

namespace {

constinit thread_local ThreadRecord* this_record = nullptr;

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

// All records. Never destroyed, since threads may end after the globals are gone; the static
// pointer keeps it reachable.
class Registry {
 public:
  static Registry& instance() {
    static Registry* const registry = new Registry;
    return *registry;
  }

  // `name` is nullptr for a thread that conc did not start.
  ThreadRecord& enter(std::string* given_name, bool daemon) {
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

  void leave(ThreadRecord& record) noexcept {
    const std::lock_guard lock(mutex_);
    live_.erase(std::find(live_.begin(), live_.end(), &record));
    spare_.push_back(&record);
    if (&record == main_) main_ = nullptr;
  }

  void end(ThreadRecord& record) noexcept {
    const std::lock_guard lock(mutex_);
    record.ended = true;
  }

  void set_name(ThreadRecord& record, std::string name) {
    const std::lock_guard lock(mutex_);
    const std::lock_guard naming(record.mutex);
    record.name.swap(name);
    note_change(record);
  }

  std::string name_of(ThreadId id) {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(live_.begin(), live_.end(),
                                    [id](const ThreadRecord* record) { return record->id == id; });
    return found != live_.end() ? (*found)->name : std::string();
  }

  void visit(const std::function<void(ThreadRecord&)>& visit) {
    const std::lock_guard lock(mutex_);
    for (ThreadRecord* const record : live_) {
      if (!record->ended) visit(*record);
    }
  }

  std::size_t count() noexcept {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count_if(
        live_.begin(), live_.end(), [](const ThreadRecord* record) { return !record->ended; }));
  }

 private:
  // The destructor of a thread-specific key runs after those of all thread_local objects, which may
  // still use the library; should a later key's destructor do so, the thread is met again and this
  // one runs once more.
  Registry() {
    if (pthread_key_create(&at_thread_end_, [](void* record) {
          this_record = nullptr;
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

  static void note_change(ThreadRecord& record) noexcept {
    record.name_changes.fetch_add(1, std::memory_order_relaxed);
  }

  // Room for one more record in either list for ever, so that leave() cannot fail.
  void make_room() {
    live_.reserve(live_.size() + spare_.size() + 1);
    spare_.reserve(live_.size() + spare_.size() + 1);
  }

  // The main thread is listed even if it has not come into the library yet.
  void expect_main() noexcept {
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
  void start_over() noexcept {
    for (ThreadRecord* const record : live_) {
      std::construct_at(&record->mutex);
      std::construct_at(&record->bed);
      record->sleeps_in = nullptr;
      if (record != this_record) spare_.push_back(record);
    }
    live_.clear();
    if (this_record != nullptr) {
      main_ = this_record;
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

  friend ThreadRecord& meet(std::string*, bool);

  Mutex mutex_;
  std::vector<ThreadRecord*> live_;  // in the order of their ids
  std::vector<ThreadRecord*> spare_;
  ThreadRecord* main_ = nullptr;  // in live_; none once the main thread has ended before the others
  bool main_is_here_ = false;     // it has come into the library
  ThreadId last_id_ = 0;
  std::uint64_t dummies_ = 0;
  pthread_key_t at_thread_end_{};
};

ThreadRecord& meet(std::string* name, bool daemon) {
  Registry& registry = Registry::instance();
  ThreadRecord& record = registry.enter(name, daemon);
  if (pthread_setspecific(registry.at_thread_end_, &record) != 0) {
    registry.leave(record);
    throw std::bad_alloc();
  }
  this_record = &record;
  this_thread_id = record.id;
  static const bool first [[maybe_unused]] = (start_watchdog_if_asked(), true);
  return record;
}

// Linux takes 15 bytes and no more; others take what they like.
void name_native_thread(NativeHandle thread, const std::string& name) noexcept {
#if defined(__linux__)
  // Cut between characters of UTF-8.
  std::size_t length = std::min<std::size_t>(name.size(), 15);
  while (length < name.size() && length > 0 && (name[length] & 0xC0) == 0x80) --length;
  pthread_setname_np(thread, name.substr(0, length).c_str());
#elif defined(__APPLE__)
  if (pthread_equal(thread, pthread_self())) pthread_setname_np(name.c_str());
#else
  static_cast<void>(thread);
  static_cast<void>(name);
#endif
}

}  // namespace

ThreadId meet_this_thread() { return meet(nullptr, true).id; }

ThreadRecord& begin_this_thread(std::string name, bool daemon) {
  name_native_thread(pthread_self(), name);
  return meet(&name, daemon);
}

ThreadRecord& this_thread_record() {
  if (this_record == nullptr) meet_this_thread();
  return *this_record;
}

bool inherited_daemon() {
  const ThreadRecord& self = this_thread_record();
  return self.daemon && !self.foreign;
}

std::string thread_name(ThreadRecord& record) {
  const std::lock_guard lock(record.mutex);
  return record.name;
}

std::string this_thread_name() { return thread_name(this_thread_record()); }

std::string_view look_at_this_thread_name() {
  ThreadRecord& record = this_thread_record();
  // Relaxed: what it counts is read under the lock.
  if (record.name_changes.load(std::memory_order_relaxed) != record.seen_change) {
    const std::lock_guard lock(record.mutex);
    record.seen_name = record.name;
    record.seen_change = record.name_changes.load(std::memory_order_relaxed);
  }
  return record.seen_name;
}

std::string thread_name(ThreadId id) { return Registry::instance().name_of(id); }

void set_this_thread_name(std::string name) {
  set_thread_name(this_thread_record(), std::move(name));
}

void set_thread_name(ThreadRecord& record, std::string name) {
  name_native_thread(record.native_handle, name);
  Registry::instance().set_name(record, std::move(name));
}

void end_this_thread() noexcept {
  if (this_record != nullptr) Registry::instance().end(*this_record);
}

void visit_threads(const std::function<void(ThreadRecord&)>& visit) {
  Registry::instance().visit(visit);
}

std::size_t count_threads() noexcept { return Registry::instance().count(); }

}  // namespace conc::detail

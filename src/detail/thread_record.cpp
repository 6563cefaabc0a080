#include <conc/detail/thread_record.hpp>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <pthread.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

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

bool is_main_thread(std::int64_t native_id) noexcept {
#if defined(__linux__)
  return native_id == ::getpid();
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
    if (spare_.empty()) {
      made = std::make_unique<ThreadRecord>();
      // Room for it in either list for ever, so that leave() cannot fail.
      live_.reserve(live_.size() + spare_.size() + 1);
      spare_.reserve(live_.size() + spare_.size() + 1);
    }
    ThreadRecord& record = made ? *made : *spare_.back();
    const std::int64_t native_id = native_thread_id();
    const bool main = is_main_thread(native_id);
    const bool dummy = given_name == nullptr && !main;
    std::string name = given_name != nullptr ? std::move(*given_name)
                       : main                ? "MainThread"
                                             : "Dummy-" + std::to_string(dummies_ + 1);
    // Nothing throws from here on.
    if (made) {
      live_.push_back(made.release());
    } else {
      live_.push_back(spare_.back());
      spare_.pop_back();
    }
    if (dummy) ++dummies_;
    const std::lock_guard naming(record.mutex);
    record.name = std::move(name);
    record.id = ++last_id_;
    record.native_id = native_id;
    record.native_handle = pthread_self();
    record.main = main;
    record.daemon = daemon;
    return record;
  }

  void leave(ThreadRecord& record) noexcept {
    const std::lock_guard lock(mutex_);
    live_.erase(std::find(live_.begin(), live_.end(), &record));
    spare_.push_back(&record);
  }

  std::string name_of(ThreadId id) {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(live_.begin(), live_.end(),
                                    [id](const ThreadRecord* record) { return record->id == id; });
    if (found == live_.end()) return {};
    const std::lock_guard naming((*found)->mutex);
    return (*found)->name;
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
  }

  friend ThreadRecord& meet(std::string*, bool);

  Mutex mutex_;
  std::vector<ThreadRecord*> live_;
  std::vector<ThreadRecord*> spare_;
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
  return record;
}

// Linux takes 15 bytes and no more; others take what they like.
void name_native_thread(NativeHandle thread, const std::string& name) noexcept {
#if defined(__linux__)
  pthread_setname_np(thread, name.substr(0, 15).c_str());
#elif defined(__APPLE__)
  if (pthread_equal(thread, pthread_self())) pthread_setname_np(name.c_str());
#else
  static_cast<void>(thread);
  static_cast<void>(name);
#endif
}

}  // namespace

ThreadId meet_this_thread() { return meet(nullptr, false).id; }

ThreadRecord& begin_this_thread(std::string name, bool daemon) {
  name_native_thread(pthread_self(), name);
  return meet(&name, daemon);
}

ThreadRecord& this_thread_record() {
  if (this_record == nullptr) meet_this_thread();
  return *this_record;
}

std::string this_thread_name() {
  ThreadRecord& record = this_thread_record();
  const std::lock_guard lock(record.mutex);
  return record.name;
}

std::string thread_name(ThreadId id) { return Registry::instance().name_of(id); }

void set_this_thread_name(std::string name) {
  set_thread_name(this_thread_record(), std::move(name));
}

void set_thread_name(ThreadRecord& record, std::string name) {
  name_native_thread(record.native_handle, name);
  const std::lock_guard lock(record.mutex);
  record.name = std::move(name);
}

}  // namespace conc::detail

#include <conc/detail/thread_record.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include <pthread.h>

#include "thread_registry.hpp"

namespace conc::detail {

constinit thread_local ThreadId this_thread_id = 0;

namespace {

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

CONC_COLD void see_name(ThreadRecord& record) {
  const std::lock_guard lock(record.mutex);
  record.seen_name = record.name;
  record.seen_change = record.name_changes.load(std::memory_order_relaxed);
}

}  // namespace

ThreadId meet_this_thread() { return ThreadRegistry::meet(nullptr, true).id; }

ThreadRecord& begin_this_thread(std::string name, bool daemon) {
  name_native_thread(pthread_self(), name);
  return ThreadRegistry::meet(&name, daemon);
}

ThreadRecord& this_thread_record() {
  ThreadRecord* const record = ThreadRegistry::record_here();
  return record != nullptr ? *record : ThreadRegistry::meet(nullptr, true);
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
  if (record.name_changes.load(std::memory_order_relaxed) != record.seen_change) see_name(record);
  return record.seen_name;
}

std::string thread_name(ThreadId id) { return ThreadRegistry::instance().name_of(id); }

void set_this_thread_name(std::string name) {
  set_thread_name(this_thread_record(), std::move(name));
}

void set_thread_name(ThreadRecord& record, std::string name) {
  name_native_thread(record.native_handle, name);
  ThreadRegistry::instance().set_name(record, std::move(name));
}

void end_this_thread() noexcept {
  ThreadRecord* const record = ThreadRegistry::record_here();
  if (record != nullptr) ThreadRegistry::instance().end(*record);
}

void visit_threads(const std::function<void(ThreadRecord&)>& visit) {
  ThreadRegistry::instance().visit(visit);
}

std::size_t count_threads() noexcept { return ThreadRegistry::instance().count(); }

}  // namespace conc::detail

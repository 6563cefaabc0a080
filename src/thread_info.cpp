#include <conc/detail/thread_record.hpp>
#include <conc/thread_info.hpp>

#include <mutex>
#include <utility>

namespace conc {
namespace {

// Under the registry's mutex, or of the calling thread itself.
ThreadInfo info_of(const detail::ThreadRecord& record) {
  return {record.name, record.id, record.native_id, record.daemon, !record.ended, record.main};
}

}  // namespace

ThreadInfo current_thread() {
  detail::ThreadRecord& record = detail::this_thread_record();
  const std::lock_guard lock(record.mutex);  // others may name it
  return info_of(record);
}

ThreadInfo main_thread() {
  ThreadInfo info;
  info.main = true;
  detail::visit_threads([&info](const detail::ThreadRecord& record) {
    if (record.main) info = info_of(record);
  });
  return info;
}

std::vector<ThreadInfo> enumerate() {
  std::vector<ThreadInfo> all;
  all.reserve(detail::count_threads());
  detail::visit_threads(
      [&all](const detail::ThreadRecord& record) { all.push_back(info_of(record)); });
  return all;
}

std::size_t active_count() noexcept { return detail::count_threads(); }

void set_current_thread_name(std::string name) { detail::set_this_thread_name(std::move(name)); }

std::uint64_t get_ident() { return detail::self_id(); }

std::int64_t get_native_id() { return detail::this_thread_record().native_id; }

}  // namespace conc

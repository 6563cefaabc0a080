#include <conc/local.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include <pthread.h>

#include "detail/fork.hpp"

namespace conc::detail {

constinit thread_local LocalCore::Slots LocalCore::this_thread_slots;

// The slots of one thread, made at its first value and destroyed by the destructor of a
// thread-specific key. That runs after those of the thread's thread_local objects; should a later
// key's destructor ask for a value, there is a new table, and this one runs once more.
class LocalTable {
 public:
  // The calling thread's, with room for the place. Throws std::bad_alloc.
  static void make_room(std::size_t place);

  // Destroys what the Locals have not destroyed.
  ~LocalTable();

 private:
  std::vector<LocalCore::Slot> slots_;
};

namespace {

constinit thread_local LocalTable* this_thread_table = nullptr;

// The Local whose value the calling thread destroys as it ends, or nullptr: also when that value's
// destructor has destroyed the Local.
constinit thread_local const LocalCore* ending_here = nullptr;

// What all Locals share. Never destroyed: threads may end after the globals are gone.
struct Shared {
  static Shared& instance() {
    static Shared* const shared = new Shared;
    return *shared;
  }

  Mutex mutex;
  std::uint64_t last_key = 0;
  std::vector<LocalCore*> places;        // the Local of each place, or nullptr
  std::vector<std::size_t> free_places;  // with room for all of them
  pthread_key_t at_thread_end{};

 private:
  Shared() {
    if (pthread_key_create(&at_thread_end, [](void* table) {
          this_thread_table = nullptr;
          delete static_cast<LocalTable*>(table);
        }) != 0) {
      throw std::bad_alloc();
    }
    guard_over_fork(mutex, []() noexcept {
      for (LocalCore* const local : instance().places) {
        if (local != nullptr) local->forget_other_threads();
      }
    });
  }
};

[[maybe_unused]] const bool at_load = (Shared::instance(), true);

}  // namespace

// ---- LocalTable

void LocalTable::make_room(std::size_t place) {
  if (this_thread_table == nullptr) {
    auto table = std::make_unique<LocalTable>();
    if (pthread_setspecific(Shared::instance().at_thread_end, table.get()) != 0) {
      throw std::bad_alloc();
    }
    this_thread_table = table.release();
  }
  std::vector<LocalCore::Slot>& slots = this_thread_table->slots_;
  if (place < slots.size()) return;
  slots.resize(std::max(place + 1, 2 * slots.size()));
  LocalCore::this_thread_slots = {slots.data(), slots.size()};
}

LocalTable::~LocalTable() {
  LocalCore::this_thread_slots = {};
  Shared& shared = Shared::instance();
  for (const LocalCore::Slot& slot : slots_) {
    if (slot.value == nullptr) continue;
    std::unique_lock lock(shared.mutex);
    LocalCore* const owner = shared.places[static_cast<std::size_t>(&slot - slots_.data())];
    if (owner == nullptr || owner->key_ != slot.key) continue;  // it went, and the value with it
    owner->unlink(*slot.value);
    ++owner->ending_;
    ending_here = owner;
    lock.unlock();
    delete slot.value;
    if (std::exchange(ending_here, nullptr) == nullptr) continue;
    lock.lock();
    // The last touch: the destructor goes on once it has the mutex.
    if (--owner->ending_ == 0) owner->ended_.notify_one();
  }
}

// ---- LocalCore

LocalCore::LocalCore() {
  Shared& shared = Shared::instance();
  const std::lock_guard lock(shared.mutex);
  if (shared.free_places.empty()) {
    shared.free_places.reserve(shared.places.size() + 1);
    shared.places.push_back(this);
    place_ = shared.places.size() - 1;
  } else {
    place_ = shared.free_places.back();
    shared.free_places.pop_back();
    shared.places[place_] = this;
  }
  key_ = ++shared.last_key;
}

LocalCore::~LocalCore() {
  Shared& shared = Shared::instance();
  std::unique_lock lock(shared.mutex);
  shared.places[place_] = nullptr;
  shared.free_places.push_back(place_);
  Value* value = std::exchange(values_, nullptr);
  if (ending_here == this) {
    ending_here = nullptr;
    --ending_;
  }
  ended_.wait(lock, [this] { return ending_ == 0; });
  lock.unlock();
  while (value != nullptr) delete std::exchange(value, value->next);
}

// In the child of a fork. What the others were destroying is lost; their values stay until the
// Local goes.
void LocalCore::forget_other_threads() noexcept {
  ending_ = ending_here == this ? 1 : 0;
  std::construct_at(&ended_);
}

LocalCore::Value* LocalCore::find() const noexcept {
  const Slots slots = this_thread_slots;
  return place_ < slots.count && slots.first[place_].key == key_ ? slots.first[place_].value
                                                                 : nullptr;
}

void LocalCore::link(Value& value) noexcept {
  value.next = values_;
  if (values_ != nullptr) values_->previous = &value;
  values_ = &value;
}

void LocalCore::unlink(Value& value) noexcept {
  (value.previous != nullptr ? value.previous->next : values_) = value.next;
  if (value.next != nullptr) value.next->previous = value.previous;
}

void LocalCore::put(std::unique_ptr<Value> value) {
  LocalTable::make_room(place_);
  const std::lock_guard lock(Shared::instance().mutex);
  link(*value);
  this_thread_slots.first[place_] = {key_, value.release()};
}

void LocalCore::erase() noexcept {
  std::unique_ptr<Value> value(find());
  if (value == nullptr) return;
  this_thread_slots.first[place_] = {};
  const std::lock_guard lock(Shared::instance().mutex);
  unlink(*value);
}

std::size_t LocalCore::size() const noexcept {
  const std::lock_guard lock(Shared::instance().mutex);
  std::size_t count = 0;
  for (const Value* value = values_; value != nullptr; value = value->next) ++count;
  return count;
}

}  // namespace conc::detail

// ResourcePool: lending a limited number of connections, files or buffers to many threads.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/short_lock.hpp>
#include <conc/export.hpp>
#include <conc/lifo_queue.hpp>
#include <conc/until.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace conc {

namespace detail {

// Errors of a ResourcePool of that name, or of one without a name: null.
[[noreturn]] CONC_COLD CONC_EXPORT void throw_cannot_lend(const char* name, const char* why);
[[noreturn]] CONC_COLD CONC_EXPORT void throw_none_lent(const char* name, bool stop_requested);

}  // namespace detail

// Lends at most `capacity` resources at a time; a thread that wants one more waits until one comes
// back. A resource is made by the factory when one is wanted and none lies idle, and is then used
// again and again; the one that came back last is lent first, since it is the most likely to be
// still warm.
//
//   conc::ResourcePool<Connection> pool(3, [] { return Connection("db"); });
//   {
//     auto connection = pool.acquire();
//     if (!connection->ping()) connection.discard();   // broken: another is made when needed
//   }                                                  // goes back here
//
// Fairness: as with Queue, first come, first served.
//
// Lifetime: the pool outlives its leases. Idle resources are destroyed with it.
//
// Python: none; usually written by hand, with a Semaphore and a list.
template <class T>
class ResourcePool {
 public:
  class Lease;

  // Makes no resource yet. The factory is called by the borrowing threads, several at a time, with
  // no lock held; it may throw. `name`, which must outlive the pool, is shown in dumps.
  // Throws std::invalid_argument when capacity is 0 or there is no factory; std::bad_alloc, or
  // std::length_error, when there is no room for so many.
  ResourcePool(std::size_t capacity, std::function<T()> factory, const char* name = nullptr)
      : factory_(std::move(factory)), slots_(capacity, name) {
    if (capacity == 0) detail::throw_cannot_lend(name, "must lend one at least");
    if (!factory_) detail::throw_cannot_lend(name, "needs a factory");
    idle_.reserve(capacity);
    for (std::size_t i = 0; i < capacity; ++i) slots_.put({});
  }

  ~ResourcePool() {
    for (T* const resource : idle_) delete resource;
  }

  ResourcePool(const ResourcePool&) = delete;
  ResourcePool& operator=(const ResourcePool&) = delete;

  // Borrows a resource until the lease ends. Blocks while all are lent.
  // Throws what the factory throws; nothing is borrowed then.
  // Synchronizes: with the end of the lease under which the resource was used last.
  [[nodiscard]] Lease acquire() {
    static_cast<void>(slots_.get());
    return lend();
  }

  // The same, but gives up as `until` says: throws TimeoutError, or Stopped when a stop was
  // requested.
  [[nodiscard]] Lease acquire(Until until) {
    if (slots_.try_get(until)) return lend();
    detail::throw_none_lent(name(), until.stop_requested());
  }

  // The same, but tells by what it returns: nothing when `until` gave up.
  // Throws what the factory throws.
  [[nodiscard]] std::optional<Lease> try_acquire(Until until = at_once) {
    if (!slots_.try_get(until)) return std::nullopt;
    return lend();
  }

  // How many may be borrowed at a time, and how many more may be borrowed at some moment during the
  // call.
  [[nodiscard]] std::size_t capacity() const noexcept { return slots_.maxsize(); }
  [[nodiscard]] std::size_t available() const noexcept { return slots_.size(); }

  [[nodiscard]] const char* name() const noexcept { return slots_.name(); }

 private:
  friend struct detail::Inspect;

  struct Slot {};

  // Turns a slot into a lease of the resource that came back last, or of a new one.
  Lease lend() {
    Lease lease(*this, take_idle());  // from here on, the slot goes back if anything throws
    if (lease.resource_ == nullptr) lease.resource_ = new T(factory_());
    return lease;
  }

  T* take_idle() noexcept {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return nullptr;
    T* const resource = idle_.back();
    idle_.pop_back();
    return resource;
  }

  // The resource, or nullptr for none, before the slot: so whoever gets the slot finds it, or else
  // another has taken it who would have had one made.
  void take_back(T* resource) noexcept {
    if (resource != nullptr) {
      const std::lock_guard lock(mutex_);
      idle_.push_back(resource);
    }
    slots_.put({});
  }

  const std::function<T()> factory_;
  // One slot for every resource that may be lent now, made or not. It never holds more than at the
  // beginning, so giving back does not allocate, wait or throw.
  LifoQueue<Slot> slots_;
  detail::ShortLock mutex_;
  std::vector<T*> idle_;  // guarded by mutex_; it has room for all
};

// The right to use a resource, from acquire() until release(), discard() or the end of its scope.
// Movable.
template <class T>
class ResourcePool<T>::Lease {
 public:
  Lease(Lease&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)),
        resource_(std::exchange(other.resource_, nullptr)) {}
  Lease& operator=(Lease&& other) noexcept {
    Lease(std::move(other)).swap(*this);
    return *this;
  }
  ~Lease() { release(); }

  // The resource. Only while the lease holds one.
  [[nodiscard]] T& operator*() const noexcept { return *resource_; }
  [[nodiscard]] T* operator->() const noexcept { return resource_; }
  [[nodiscard]] explicit operator bool() const noexcept { return pool_ != nullptr; }

  // Gives the resource back before the end of the scope, to the thread that waits longest. Never
  // blocks. A lease that holds none does nothing.
  void release() noexcept {
    if (pool_ != nullptr)
      std::exchange(pool_, nullptr)->take_back(std::exchange(resource_, nullptr));
  }

  // Destroys the resource instead, because it is broken: another is made when one is wanted and
  // none lies idle.
  void discard() noexcept {
    delete std::exchange(resource_, nullptr);
    release();
  }

 private:
  friend class ResourcePool;

  Lease(ResourcePool& pool, T* resource) noexcept : pool_(&pool), resource_(resource) {}

  void swap(Lease& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(resource_, other.resource_);
  }

  ResourcePool* pool_;
  T* resource_;
};

}  // namespace conc

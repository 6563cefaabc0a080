#include <conc/detail/carried.hpp>
#include <conc/detail/job.hpp>
#include <conc/hooks.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

namespace conc::detail {
namespace {

// How many addresses a bundle holds, and how many full bundles the depot keeps of each size: 4 and
// 2 MiB of memory. A bundle takes 512 bytes.
constexpr std::size_t bundle_size = 62;
constexpr std::size_t bundles_made = 8;
constexpr std::size_t most_bundles[] = {1057, 264};
constexpr std::size_t sizes[] = {PostMemory::small, PostMemory::large};
constexpr std::size_t size_count = 2;

// How many allocations ahead the memory is fetched, which another processor wrote last.
constexpr std::size_t fetched_ahead = 6;

// Stretches of memory that nobody uses. Their addresses stand here and not in the memory itself, so
// that finding the next does not wait for it.
struct Bundle {
  Bundle* next = nullptr;  // in the depot
  std::size_t size = 0;
  void* memory[bundle_size];

  void free_all() noexcept {
    while (size != 0) ::operator delete(memory[--size]);
  }
};

// Bundles in the depot.
struct Pile {
  void push(Bundle& bundle) noexcept {
    bundle.next = std::exchange(top, &bundle);
    ++size;
  }
  [[nodiscard]] Bundle* pop() noexcept {
    Bundle* const bundle = top;
    if (bundle != nullptr) {
      top = bundle->next;
      --size;
    }
    return bundle;
  }

  Bundle* top = nullptr;
  std::size_t size = 0;
};

// Where bundles go from the threads that run posted calls to those that post them, and back.
class Depot {
 public:
  static Depot& instance() {
    static Depot* const depot =
        new Depot;  // never destroyed: threads may end after the globals are gone
    return *depot;
  }

  // Null when there is none.
  Bundle* get_full(std::size_t kind) noexcept {
    const std::lock_guard lock(mutex_);
    return full_[kind].pop();
  }

  // Null when there is no memory for one. Makes several at a time, as many as the number in use goes
  // up and down by while as much memory as ever is in use; and never frees them.
  Bundle* get_empty() noexcept {
    {
      const std::lock_guard lock(mutex_);
      if (Bundle* const bundle = empty_.pop()) return bundle;
    }
    Bundle* const bundles = new (std::nothrow) Bundle[bundles_made];
    if (bundles == nullptr) return nullptr;
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 1; i < bundles_made; ++i) empty_.push(bundles[i]);
    return bundles;
  }

  void put(std::size_t kind, Bundle& bundle) noexcept {
    {
      const std::lock_guard lock(mutex_);
      if (bundle.size == bundle_size && full_[kind].size != most_bundles[kind]) {
        return full_[kind].push(bundle);
      }
    }
    bundle.free_all();
    const std::lock_guard lock(mutex_);
    empty_.push(bundle);
  }

 private:
  Mutex mutex_;
  // Guarded by mutex_.
  Pile full_[size_count];
  Pile empty_;
};

// A thread's own. Two bundles, so that a thread on the border between two does not go to the depot
// each time. `spare` is full, empty or null.
struct Cache {
  Bundle* in_use = nullptr;
  Bundle* spare = nullptr;
};

constinit thread_local Cache caches[size_count];
constinit thread_local bool caches_closed = false;  // the thread is ending, and has given them back

struct CacheCloser {
  ~CacheCloser() {
    caches_closed = true;
    for (std::size_t kind = 0; kind < size_count; ++kind) {
      for (Bundle* const bundle : {caches[kind].in_use, caches[kind].spare}) {
        if (bundle != nullptr) Depot::instance().put(kind, *bundle);
      }
      caches[kind] = {};
    }
  }
  void arm() noexcept {}
};
thread_local CacheCloser cache_closer;

void* pop(Bundle& bundle) noexcept {
  void* const memory = bundle.memory[--bundle.size];
  if (bundle.size >= fetched_ahead)
    prefetch_to_write(bundle.memory[bundle.size - fetched_ahead]);
  return memory;
}

// The bundle in use is empty, or there is none. When nobody has memory to spare, makes a bundle of
// it: so there soon is as much as can be in use at once, and a growing backlog comes here seldom.
CONC_COLD void* allocate_slow(std::size_t kind) {
  if (caches_closed) return ::operator new(sizes[kind]);
  Cache& cache = caches[kind];
  if (cache.spare != nullptr && cache.spare->size != 0) {
    std::swap(cache.in_use, cache.spare);
    return pop(*cache.in_use);
  }
  if (Bundle* const full = Depot::instance().get_full(kind)) {
    cache_closer.arm();
    if (Bundle* const empty = std::exchange(cache.in_use, full)) {
      Depot::instance().put(kind, *empty);
    }
    return pop(*full);
  }
  void* const memory = ::operator new(sizes[kind]);
  if (cache.in_use == nullptr) {
    cache_closer.arm();
    cache.in_use = Depot::instance().get_empty();
  }
  for (std::size_t i = 1; i < bundle_size && cache.in_use != nullptr; ++i) {
    void* const more = ::operator new(sizes[kind], std::nothrow);
    if (more == nullptr) break;
    cache.in_use->memory[cache.in_use->size++] = more;
  }
  return memory;
}

// The bundle in use is full, or there is none.
CONC_COLD void free_slow(std::size_t kind, void* memory) noexcept {
  if (caches_closed) return ::operator delete(memory);
  Cache& cache = caches[kind];
  if (cache.spare == nullptr || cache.spare->size != 0) {
    Bundle* const empty = Depot::instance().get_empty();
    if (empty == nullptr) return ::operator delete(memory);
    cache_closer.arm();
    if (cache.spare != nullptr) Depot::instance().put(kind, *cache.spare);
    cache.spare = empty;
  }
  std::swap(cache.in_use, cache.spare);
  cache.in_use->memory[cache.in_use->size++] = memory;
}

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

// Which size, or size_count for none.
constexpr std::size_t kind_of(std::size_t size) noexcept {
  return size <= PostMemory::small ? 0 : size <= PostMemory::large ? 1 : size_count;
}

}  // namespace

void* PostMemory::allocate(std::size_t size) {
  const std::size_t kind = kind_of(size);
  if (kind == size_count) return ::operator new(size);
  Bundle* const bundle = caches[kind].in_use;
  if (bundle == nullptr || bundle->size == 0) [[unlikely]]
    return allocate_slow(kind);
  return pop(*bundle);
}

void PostMemory::free(void* memory, std::size_t size) noexcept {
  const std::size_t kind = kind_of(size);
  if (kind == size_count) return ::operator delete(memory);
  Bundle* const bundle = caches[kind].in_use;
  if (bundle == nullptr || bundle->size == bundle_size) [[unlikely]]
    return free_slow(kind, memory);
  bundle->memory[bundle->size++] = memory;
}

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

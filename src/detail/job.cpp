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

// A stretch of memory that nobody uses.
struct Spare {
  Spare* next;
};

// How many a thread keeps to itself, and how many bundles of so many the depot keeps of each size:
// 4 and 2 MiB.
constexpr std::size_t bundle_size = 64;
constexpr std::size_t most_bundles[] = {1024, 256};
constexpr std::size_t sizes[] = {PostMemory::small, PostMemory::large};
constexpr std::size_t size_count = 2;

struct Bundle {
  Spare* first = nullptr;
  std::size_t size = 0;

  [[nodiscard]] Spare* pop() noexcept {
    Spare* const spare = first;
    if (spare != nullptr) {
      first = spare->next;
      --size;
    }
    return spare;
  }
  void push(void* memory) noexcept {
    first = ::new (memory) Spare{first};
    ++size;
  }
  void free() noexcept {
    while (Spare* const spare = pop()) ::operator delete(spare);
  }
};

// Where bundles go from the threads that run posted calls to those that post them.
class Depot {
 public:
  static Depot& instance() {
    static Depot* const depot =
        new Depot;  // never destroyed: threads may end after the globals are gone
    return *depot;
  }

  Bundle get(std::size_t kind) noexcept {
    const std::lock_guard lock(mutex_);
    return count_[kind] != 0 ? std::exchange(bundles_[kind][--count_[kind]], {}) : Bundle();
  }

  void put(std::size_t kind, Bundle bundle) noexcept {
    {
      const std::lock_guard lock(mutex_);
      if (count_[kind] != most_bundles[kind]) {
        bundles_[kind][count_[kind]++] = bundle;
        return;
      }
    }
    bundle.free();
  }

 private:
  Mutex mutex_;
  // Guarded by mutex_.
  std::size_t count_[size_count] = {};
  Bundle bundles_[size_count][most_bundles[0]];
};

// A thread's own. Two bundles, so that a thread on the border between two does not go to the depot
// each time.
struct Cache {
  Bundle in_use;
  Bundle full;
};

constinit thread_local Cache caches[size_count];
constinit thread_local bool caches_closed = false;  // the thread is ending, and has given them back

struct CacheCloser {
  ~CacheCloser() {
    caches_closed = true;
    for (std::size_t kind = 0; kind < size_count; ++kind) {
      for (Bundle* const bundle : {&caches[kind].in_use, &caches[kind].full}) {
        if (bundle->size == bundle_size) {
          Depot::instance().put(kind, *bundle);
        } else {
          bundle->free();
        }
        *bundle = {};
      }
    }
  }
  void arm() noexcept {}
};
thread_local CacheCloser cache_closer;

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
  Cache& cache = caches[kind];
  if (Spare* const spare = cache.in_use.pop()) return spare;
  if (!caches_closed) {
    cache.in_use =
        cache.full.size != 0 ? std::exchange(cache.full, {}) : Depot::instance().get(kind);
    if (cache.in_use.size != 0) {
      cache_closer.arm();
      return cache.in_use.pop();
    }
  }
  return ::operator new(sizes[kind]);
}

void PostMemory::free(void* memory, std::size_t size) noexcept {
  const std::size_t kind = kind_of(size);
  if (kind == size_count || caches_closed) return ::operator delete(memory);
  Cache& cache = caches[kind];
  if (cache.in_use.size == bundle_size) {
    if (cache.full.size != 0) Depot::instance().put(kind, cache.full);
    cache.full = std::exchange(cache.in_use, {});
  }
  if (cache.in_use.size == 0) cache_closer.arm();
  cache.in_use.push(memory);
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

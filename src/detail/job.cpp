#include <conc/detail/job.hpp>
#include <conc/hooks.hpp>

#include <exception>
#include <mutex>
#include <new>
#include <utility>

namespace conc::detail {
namespace {

// A stretch of memory for a PostJob.
struct Spare {
  Spare* next;
};
constexpr std::size_t spare_size = sizeof(PostJob);
static_assert(alignof(PostJob) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);

// How many a thread keeps to itself, and how many bundles of so many the depot keeps: 4 MiB together.
constexpr std::size_t bundle_size = 64;
constexpr std::size_t most_bundles = 512;

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
    static Depot* const depot = new Depot;  // never destroyed: threads may end after the globals are gone
    return *depot;
  }

  Bundle get() noexcept {
    const std::lock_guard lock(mutex_);
    return count_ != 0 ? std::exchange(bundles_[--count_], {}) : Bundle();
  }

  void put(Bundle bundle) noexcept {
    {
      const std::lock_guard lock(mutex_);
      if (count_ != most_bundles) {
        bundles_[count_++] = bundle;
        return;
      }
    }
    bundle.free();
  }

 private:
  Mutex mutex_;
  std::size_t count_ = 0;
  Bundle bundles_[most_bundles];
};

// A thread's own. Two bundles, so that a thread on the border between two does not go to the depot each time.
struct Cache {
  Bundle in_use;
  Bundle full;
  bool closed = false;  // the thread is ending, and this was given back
};

constinit thread_local Cache cache;

struct CacheCloser {
  ~CacheCloser() {
    cache.closed = true;
    for (Bundle* bundle : {&cache.in_use, &cache.full}) {
      if (bundle->size == bundle_size) {
        Depot::instance().put(*bundle);
      } else {
        bundle->free();
      }
      *bundle = {};
    }
  }
  void arm() noexcept {}
};
thread_local CacheCloser cache_closer;

}  // namespace

void* PostJob::allocate() {
  if (Spare* const spare = cache.in_use.pop()) return spare;
  if (!cache.closed) {
    cache.in_use = cache.full.size != 0 ? std::exchange(cache.full, {}) : Depot::instance().get();
    if (cache.in_use.size != 0) {
      cache_closer.arm();
      return cache.in_use.pop();
    }
  }
  return ::operator new(spare_size);
}

void PostJob::recycle() noexcept {
  this->~PostJob();
  void* const memory = this;
  if (cache.closed) {
    ::operator delete(memory);
    return;
  }
  if (cache.in_use.size == bundle_size) {
    if (cache.full.size != 0) Depot::instance().put(cache.full);
    cache.full = std::exchange(cache.in_use, {});
  }
  if (cache.in_use.size == 0) cache_closer.arm();
  cache.in_use.push(memory);
}

Ended PostJob::run() noexcept {
  Ended ended = Ended::done;
  try {
    task_();
  } catch (...) {
    ended = Ended::failed;
    report({"conc.future", Severity::error, "A posted call threw", std::current_exception()});
  }
  task_.reset();
  job_returned(ended == Ended::failed);
  recycle();
  return ended;
}

void PostJob::drop(Drop) noexcept { recycle(); }

}  // namespace conc::detail

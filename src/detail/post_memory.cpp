// PostMemory: slabs of the memory of posted calls.
//
// A thread that posts cuts one slab into units, from its beginning to its end: so the calls that it
// posts one after the other lie side by side, and both the processor that writes them and the one
// that runs them fetch the next before it is asked for. Units are not used again one by one.
// Whoever frees one counts it for its slab; when all units of a slab were freed, it is used again
// as a whole.
//
// A thread that runs calls frees many units of a slab in turn, so it counts by itself at first, in
// one of a few tallies, and takes them off the slab's own count together when the tally is needed
// for another slab.
//
//   left of a slab   units that were not freed, or are still in some thread's tally; whoever brings
//                    it to 0 has the slab
#include <conc/config.hpp>
#include <conc/detail/job.hpp>
#include <conc/detail/machine.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <type_traits>
#include <utility>

#include "fork.hpp"

namespace conc::detail {
namespace {

// A page; the smaller it is, the less memory a single call keeps from being used again. Chosen with
// the rows BM_Executor_Post, as is the number of tallies: calls of several submitters come mixed.
constexpr std::size_t slab_size = 4096;
constexpr std::size_t header_size = 64;
constexpr std::size_t tallies = 8;  // a power of two

// How many slabs a thread, and then the depot, keeps of each size: the latter 4 MiB.
constexpr std::size_t most_at_hand = 2;
constexpr std::size_t most_in_depot = 1024;

constexpr std::size_t units[] = {PostMemory::small, PostMemory::large};
constexpr std::size_t kinds = 2;

// A table, since a division takes longer than the rest of freeing one.
constexpr std::uint32_t units_in_slab[] = {(slab_size - header_size) / units[0],
                                           (slab_size - header_size) / units[1]};

// How far ahead memory is fetched from the processor that ran the calls which were there before.
// Chosen with the same rows.
constexpr std::size_t ahead = 1024;

// Which size, or `kinds` for none.
constexpr std::size_t kind_of(std::size_t size) noexcept {
  return size <= PostMemory::small ? 0 : size <= PostMemory::large ? 1 : kinds;
}

// The units follow the header.
struct Slab {
  // Of a unit, or of the end of the last one.
  static Slab* of(void* unit) noexcept {
    return reinterpret_cast<Slab*>((reinterpret_cast<std::uintptr_t>(unit) - 1) / slab_size *
                                   slab_size);
  }
  [[nodiscard]] std::byte* first() noexcept {
    return reinterpret_cast<std::byte*>(this) + header_size;
  }

  Slab* next = nullptr;  // in a pile
  Atomic<std::uint32_t> left{0};
};
static_assert(sizeof(Slab) <= header_size);

void release(Slab& slab) noexcept {
  ::operator delete(static_cast<void*>(&slab), std::align_val_t(slab_size));
}

struct Pile {
  void push(Slab& slab) noexcept {
    slab.next = std::exchange(top, &slab);
    ++size;
  }
  // Null when there is none.
  [[nodiscard]] Slab* pop() noexcept {
    Slab* const slab = top;
    if (slab != nullptr) {
      top = slab->next;
      --size;
    }
    return slab;
  }

  Slab* top = nullptr;
  std::size_t size = 0;
};

// Where slabs go from the threads that run posted calls to those that post them.
class Depot {
 public:
  static Depot& instance() noexcept { return the_one; }

  // Null when there is none.
  [[nodiscard]] Slab* get(std::size_t kind) noexcept {
    const std::lock_guard lock(mutex_);
    return piles_[kind].pop();
  }

  void put(std::size_t kind, Slab& slab) noexcept {
    {
      const std::lock_guard lock(mutex_);
      if (piles_[kind].size != most_in_depot) return piles_[kind].push(slab);
    }
    release(slab);
  }

 private:
  static const bool at_load;
  static constinit Depot the_one;

  Mutex mutex_;
  Pile piles_[kinds];  // guarded by mutex_
};

// Its destructor does nothing: threads may end after the globals are gone.
constinit Depot Depot::the_one;
static_assert(std::is_trivially_destructible_v<Depot>);
const bool Depot::at_load = (guard_over_fork(the_one.mutex_), true);

// Units of a slab that one thread has freed and not taken off its count yet.
struct Tally {
  Slab* slab = nullptr;
  std::uint32_t freed = 0;
};

// A thread's own.
struct Cache {
  std::byte* next = nullptr;  // unit of the slab that is being cut
  std::byte* end = nullptr;   // of that slab
  Pile at_hand;
  Tally freed[tallies];
};

constinit thread_local Cache caches[kinds];
constinit thread_local bool caches_closed = false;  // the thread is ending, and has given them back

void put_aside(std::size_t kind, Slab& slab) noexcept {
  Pile& at_hand = caches[kind].at_hand;
  if (!caches_closed && at_hand.size != most_at_hand) return at_hand.push(slab);
  Depot::instance().put(kind, slab);
}

void take_off(std::size_t kind, Slab* slab, std::uint32_t freed) noexcept {
  if (freed != 0 && slab->left.fetch_sub(freed, std::memory_order_acq_rel) == freed) {
    put_aside(kind, *slab);
  }
}

struct CacheCloser {
  ~CacheCloser() {
    caches_closed = true;
    for (std::size_t kind = 0; kind < kinds; ++kind) {
      Cache& cache = caches[kind];
      if (cache.next != nullptr) {
        const auto uncut = static_cast<std::size_t>(cache.end - cache.next) / units[kind];
        take_off(kind, Slab::of(cache.end), static_cast<std::uint32_t>(uncut));
      }
      for (const Tally& tally : cache.freed) take_off(kind, tally.slab, tally.freed);
      while (Slab* const slab = cache.at_hand.pop()) Depot::instance().put(kind, *slab);
      cache = {};
    }
  }
  void arm() noexcept {}
};
thread_local CacheCloser cache_closer;

Tally& tally_of(Cache& cache, Slab* slab) noexcept {
  return cache.freed[reinterpret_cast<std::uintptr_t>(slab) / slab_size % tallies];
}

// `size` bytes that begin `distance` behind `unit`, if the slab, which ends at `slab_end`, has them.
void prefetch(const std::byte* unit, std::size_t distance, std::size_t size,
              const std::byte* slab_end) noexcept {
  if (static_cast<std::size_t>(slab_end - unit) < distance + size) return;
  for (std::size_t line = 0; line < size; line += 64) prefetch_to_write(unit + distance + line);
}

// The slab is cut up, or there is none.
CONC_COLD void* allocate_slow(std::size_t kind) {
  Cache& cache = caches[kind];
  Slab* slab = cache.at_hand.pop();
  if (slab == nullptr) slab = Depot::instance().get(kind);
  if (slab == nullptr) {
    slab = ::new (::operator new(slab_size, std::align_val_t(slab_size))) Slab;
  }
  std::byte* const first = slab->first();
  if (caches_closed) {
    slab->left.store(1, std::memory_order_relaxed);
    return first;
  }
  cache_closer.arm();
  slab->left.store(units_in_slab[kind], std::memory_order_relaxed);
  cache.next = first + units[kind];
  cache.end = first + units_in_slab[kind] * units[kind];
  prefetch(cache.next, 0, ahead, cache.end);
  return first;
}

// The tally that the unit's slab would have is another's.
CONC_COLD void free_slow(std::size_t kind, Slab* slab) noexcept {
  if (caches_closed) return take_off(kind, slab, 1);
  cache_closer.arm();
  Tally& tally = tally_of(caches[kind], slab);
  take_off(kind, tally.slab, tally.freed);
  tally = {slab, 1};
}

}  // namespace

void* PostMemory::allocate(std::size_t size) {
  const std::size_t kind = kind_of(size);
  if (kind == kinds) return ::operator new(size);
  Cache& cache = caches[kind];
  if (cache.next == cache.end) [[unlikely]]
    return allocate_slow(kind);
  std::byte* const unit = cache.next;
  cache.next += units[kind];
  prefetch(unit, ahead, units[kind], cache.end);
  return unit;
}

void PostMemory::free(void* memory, std::size_t size) noexcept {
  const std::size_t kind = kind_of(size);
  if (kind == kinds) return ::operator delete(memory);
  Slab* const slab = Slab::of(memory);
  Tally& tally = tally_of(caches[kind], slab);
  if (tally.slab != slab) [[unlikely]]
    return free_slow(kind, slab);
  if (++tally.freed == units_in_slab[kind]) [[unlikely]]
    put_aside(kind, *std::exchange(tally, {}).slab);
}

}  // namespace conc::detail

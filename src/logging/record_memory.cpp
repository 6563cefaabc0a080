#include "record_memory.hpp"

#include <conc/config.hpp>
#include <conc/detail/machine.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <mutex>
#include <new>
#include <type_traits>

namespace conc::logging::detail {
namespace {

// Chosen with the row QueuedBurst of the logging benchmark.
constexpr std::size_t block_size = 512;
constexpr std::size_t bundle_size = 32;   // how many blocks are passed on at once
constexpr std::size_t most_bundles = 32;  // for no thread in particular: half a mebibyte
constexpr std::size_t ahead = 3;          // how many blocks are on their way to the processor

// AddressSanitizer shall see each record's end.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool keeps_blocks = false;
#elif defined(__has_feature)
constexpr bool keeps_blocks = !__has_feature(address_sanitizer);
#else
constexpr bool keeps_blocks = true;
#endif

// What stands before the memory that is given out.
struct alignas(__STDCPP_DEFAULT_NEW_ALIGNMENT__) Block {
  bool keeps = false;  // it is of block_size
};

constexpr std::size_t room = block_size - sizeof(Block);

// Blocks begin with a cache line.
constexpr std::align_val_t line{64};

void destroy(Block* block) noexcept { ::operator delete(block, line); }

// Addresses rather than a list through the blocks: what another processor wrote takes longer to
// come than a record takes to be made, and the next address would come with it.
using Bundle = std::array<Block*, bundle_size>;

// The bundles that no thread has. Never destroyed. Nobody waits long for the mutex, which in the
// child of a fork may be held for ever: the usual allocator does as well.
class Depot {
 public:
  static Depot& instance() noexcept { return the_one; }

  // False when there is none.
  bool take(Block** bundle) noexcept {
    const std::unique_lock lock = try_to_lock();
    if (!lock || count_ == 0) return false;
    std::ranges::copy(bundles_[--count_], bundle);
    return true;
  }

  // False when there are enough.
  bool give(Block* const* bundle) noexcept {
    const std::unique_lock lock = try_to_lock();
    if (!lock || count_ == most_bundles) return false;
    std::copy_n(bundle, bundle_size, bundles_[count_++].begin());
    return true;
  }

 private:
  std::unique_lock<conc::detail::Mutex> try_to_lock() noexcept {
    std::unique_lock lock(mutex_, std::try_to_lock);
    for (int attempt = 1; !lock && attempt < attempts; ++attempt) {
      conc::detail::cpu_pause();
      static_cast<void>(lock.try_lock());
    }
    return lock;
  }

  static constexpr int attempts = 32;  // a bundle is copied meanwhile
  static constinit Depot the_one;

  conc::detail::Mutex mutex_;
  // Guarded by mutex_.
  std::size_t count_ = 0;
  std::array<Bundle, most_bundles> bundles_{};
};

constinit Depot Depot::the_one;
static_assert(std::is_trivially_destructible_v<Depot>);

// The blocks that a thread has at hand. Nothing to destroy, so they serve to the very end of the
// thread.
struct Hand {
  std::size_t number = 0;
  bool ended = false;  // it shall have none any more
  std::array<Block*, 2 * bundle_size> blocks{};
};

constinit thread_local Hand hand;

CONC_COLD void pass_bundle_on() noexcept {
  hand.number -= bundle_size;
  Block* const* const bundle = &hand.blocks[hand.number];
  if (!Depot::instance().give(bundle)) {
    std::for_each_n(bundle, bundle_size, destroy);
  }
}

// Whether the thread may have blocks at hand. Sees to it that it has none at its end.
bool may_keep() noexcept {
  struct End {
    End() = default;
    ~End() {
      hand.ended = true;
      while (hand.number >= bundle_size) pass_bundle_on();
      while (hand.number != 0) destroy(hand.blocks[--hand.number]);
    }
  };
  if (!keeps_blocks || hand.ended) return false;
  thread_local const End end;
  return true;
}

CONC_COLD void* make(std::size_t size, bool keeps) {
  auto* const block = ::new (::operator new(sizeof(Block) + size, line)) Block;
  block->keeps = keeps;
  return block + 1;
}

// The block that will be taken after `others` others, if it is at hand, for a record of that size.
void prefetch_block(std::size_t others, std::size_t size) noexcept {
  if (hand.number <= others) return;
  const char* const begin = reinterpret_cast<const char*>(hand.blocks[hand.number - 1 - others]);
  const char* const end = begin + sizeof(Block) + size;
  // Few records take less than five lines.
  for (int i = 0; i < 5; ++i) conc::detail::prefetch_to_write(begin + i * 64);
  for (const char* at = begin + 5 * 64; at < end; at += 64) conc::detail::prefetch_to_write(at);
}

CONC_COLD void fetch_bundle(std::size_t size) {
  if (!may_keep() || !Depot::instance().take(hand.blocks.data())) return;
  hand.number = bundle_size;
  for (std::size_t others = 0; others < ahead; ++others) prefetch_block(others, size);
}

}  // namespace

void* take_record_memory(std::size_t size) {
  if (size > room) return make(size, false);
  if (hand.number == 0) fetch_bundle(size);
  if (hand.number == 0) return make(keeps_blocks ? room : size, keeps_blocks);
  Block* const block = hand.blocks[--hand.number];
  prefetch_block(ahead - 1, size);
  return block + 1;
}

void give_record_memory(void* memory) noexcept {
  Block* const block = static_cast<Block*>(memory) - 1;
  if (!block->keeps || !may_keep()) return destroy(block);
  hand.blocks[hand.number++] = block;
  if (hand.number == hand.blocks.size()) pass_bundle_on();
}

}  // namespace conc::logging::detail

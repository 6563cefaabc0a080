#include "record_memory.hpp"

#include <conc/config.hpp>
#include <conc/detail/machine.hpp>

#include <cstddef>
#include <mutex>
#include <new>
#include <type_traits>
#include <utility>

namespace conc::logging::detail {
namespace {

// Chosen with the row QueuedBurst of the logging benchmark.
constexpr std::size_t block_size = 512;
constexpr std::size_t bundle_size = 32;   // how many blocks are passed on at once
constexpr std::size_t most_bundles = 32;  // for no thread in particular: half a mebibyte

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
  Block* next = nullptr;         // in a list of blocks, while it is not given out
  Block* next_bundle = nullptr;  // of the first one of a bundle
  bool keeps = false;            // it is of block_size
};

constexpr std::size_t room = block_size - sizeof(Block);

void free_all(Block* blocks) noexcept {
  while (blocks != nullptr) ::operator delete(std::exchange(blocks, blocks->next));
}

// The bundles that no thread has. Never destroyed. Nobody waits for the mutex, which in the child
// of a fork may be held for ever: the usual allocator does as well.
class Depot {
 public:
  static Depot& instance() noexcept { return the_one; }

  // Null when there is none.
  Block* take() noexcept {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock || bundles_ == nullptr) return nullptr;
    --count_;
    return std::exchange(bundles_, bundles_->next_bundle);
  }

  void give(Block* bundle) noexcept {
    if (!has_taken(bundle)) free_all(bundle);
  }

 private:
  bool has_taken(Block* bundle) noexcept {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock || count_ == most_bundles) return false;
    ++count_;
    bundle->next_bundle = std::exchange(bundles_, bundle);
    return true;
  }

  static constinit Depot the_one;

  conc::detail::Mutex mutex_;
  // Guarded by mutex_.
  Block* bundles_ = nullptr;
  std::size_t count_ = 0;
};

constinit Depot Depot::the_one;
static_assert(std::is_trivially_destructible_v<Depot>);

// The blocks that this thread has at hand, and how many. Nothing to destroy, so they serve to the
// very end of the thread.
constinit thread_local Block* at_hand = nullptr;
constinit thread_local std::size_t number_at_hand = 0;
constinit thread_local bool ended = false;  // it shall have none any more

CONC_COLD void pass_bundle_on() noexcept {
  Block* last = at_hand;
  for (std::size_t i = 1; i < bundle_size; ++i) last = last->next;
  Block* const bundle = std::exchange(at_hand, std::exchange(last->next, nullptr));
  number_at_hand -= bundle_size;
  Depot::instance().give(bundle);
}

// Whether the thread may have blocks at hand. Sees to it that it has none at its end.
bool may_keep() noexcept {
  struct End {
    End() = default;
    ~End() {
      ended = true;
      while (number_at_hand >= bundle_size) pass_bundle_on();
      free_all(std::exchange(at_hand, nullptr));
      number_at_hand = 0;
    }
  };
  if (!keeps_blocks || ended) return false;
  thread_local const End end;
  return true;
}

CONC_COLD void* make(std::size_t size, bool keeps) {
  auto* const block = ::new (::operator new(sizeof(Block) + size)) Block;
  block->keeps = keeps;
  return block + 1;
}

CONC_COLD void fetch_bundle() {
  if (!may_keep()) return;
  at_hand = Depot::instance().take();
  if (at_hand != nullptr) number_at_hand = bundle_size;
}

// What was written by another processor takes longer to come than a record takes to be made, so
// this is for the record after the next.
void prefetch_block(Block* block) noexcept {
  for (std::size_t at = 0; at < block_size; at += 64) {
    conc::detail::prefetch_to_write(reinterpret_cast<const char*>(block) + at);
  }
}

}  // namespace

void* take_record_memory(std::size_t size) {
  if (size > room) return make(size, false);
  if (at_hand == nullptr) fetch_bundle();
  if (at_hand == nullptr) return make(keeps_blocks ? room : size, keeps_blocks);
  Block* const block = at_hand;
  at_hand = block->next;
  --number_at_hand;
  if (at_hand != nullptr && at_hand->next != nullptr) prefetch_block(at_hand->next);
  return block + 1;
}

void give_record_memory(void* memory) noexcept {
  Block* const block = static_cast<Block*>(memory) - 1;
  if (!block->keeps || !may_keep()) return ::operator delete(block);
  block->next = std::exchange(at_hand, block);
  if (++number_at_hand == 2 * bundle_size) pass_bundle_on();
}

}  // namespace conc::logging::detail

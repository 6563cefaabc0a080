// Published: a value that many threads read, without a lock, while now and then one replaces it.
#pragma once

#include <conc/detail/machine.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

namespace conc::logging::detail {

// Readers see one immutable version of the value for as long as they look at it, whatever is
// published meanwhile; a version dies with its last reader, so what it holds (a file, for instance)
// is given back at once and not some time later. Reading costs two atomic read-modify-writes, or
// one load when the value is empty. There is nothing to repair in the child of a fork but the
// writers' mutex; a version that another thread was reading is never freed there.
//
// The word holds the current version and how many readers took it from here:
//
//   low 48 bits    address of the version's node, 0 for the empty value
//   high 16 bits   readers that took this node and have not yet given it back
//
//   read           adds a reader, if there is a node
//   give back      takes the reader away if the node is still in the word; if not, its replacer has
//                  moved, or is about to move, the count to the node, and the reader is paid there
//   publish        puts a new node into the word, with no readers, and moves the old count
//
// A node's `debt` is the moved count less the readers paid at the node. It is 0 before the count
// comes, negative when readers were faster, and then 0 again exactly once: when the last one is
// gone. Whoever brings it to 0 frees the node. The address cannot come back into the word while a
// reader of the old node is left, since the node is not freed before.
template <class T>
class Published {
  struct Node {
    explicit Node(T initial) : value(std::move(initial)) {}
    T value;
    conc::detail::Atomic<std::int64_t> debt{0};
  };

 public:
  // A look at one version. Null when the value was empty.
  class Reading {
   public:
    Reading(Reading&& other) noexcept
        : home_(other.home_), node_(std::exchange(other.node_, nullptr)) {}
    Reading& operator=(Reading&&) = delete;
    ~Reading() {
      if (node_ != nullptr) home_->give_back(node_);
    }

    explicit operator bool() const noexcept { return node_ != nullptr; }
    const T& operator*() const noexcept { return node_->value; }
    const T* operator->() const noexcept { return &node_->value; }

   private:
    friend class Published;
    Reading(const Published* home, Node* node) noexcept : home_(home), node_(node) {}

    const Published* home_;
    Node* node_;
  };

  Published() = default;
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;

  // No reader may be left.
  ~Published() { delete node_of(word_.load(std::memory_order_acquire)); }

  [[nodiscard]] Reading read() const noexcept {
    Word word = word_.load(std::memory_order_relaxed);
    for (;;) {
      // The empty value is not counted: it could come back into the word, and with it the count.
      if (node_of(word) == nullptr) return {this, nullptr};
      if (word >= all_readers) {  // more threads than the count can hold
        conc::detail::cpu_yield();
        word = word_.load(std::memory_order_relaxed);
        continue;
      }
      // Acquire: the node was filled before it was published.
      if (word_.compare_exchange_weak(word, word + one_reader, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
        return {this, node_of(word)};
      }
    }
  }

  // Whether the value is empty at some moment during the call. One load.
  [[nodiscard]] bool empty() const noexcept {
    return node_of(word_.load(std::memory_order_relaxed)) == nullptr;
  }

  // Lets `change(T&)` alter a copy of the value and publishes the copy, unless `change` returns
  // false; as the empty value when it is equal to T(). Writers wait for each other, so `change`
  // must not run user code.
  // Throws what copying and `change` throw; nothing is changed then.
  template <class Change>
  void update(Change change) {
    // Outlives the guard: what the old version holds may run user code when it dies.
    Retired retired;
    const std::lock_guard guard(writers_);
    const Node* const current = node_of(word_.load(std::memory_order_relaxed));
    auto next = std::make_unique<Node>(current != nullptr ? current->value : T());
    if (!change(next->value)) return;
    if (next->value == T()) next.reset();
    // Acquire: what the readers that have given the old node back did to it comes before its end.
    retired.word = word_.exchange(word_of(next.get()), std::memory_order_acq_rel);
    static_cast<void>(next.release());
  }

  // In the child of a fork, whose other threads are gone.
  void renew_after_fork() noexcept { ::new (static_cast<void*>(&writers_)) conc::detail::Mutex; }

 private:
  using Word = std::uint64_t;
  static constexpr int address_bits = 48;
  static constexpr Word one_reader = Word{1} << address_bits;
  static constexpr Word all_readers = ~(one_reader - 1);

  // A version that has left the word: its readers are moved to it, and it ends with the last one.
  struct Retired {
    Word word = 0;
    Retired() = default;
    Retired(const Retired&) = delete;
    Retired& operator=(const Retired&) = delete;
    ~Retired() {
      if (Node* const node = node_of(word)) {
        settle(node, static_cast<std::int64_t>(word >> address_bits));
      }
    }
  };

  static Node* node_of(Word word) noexcept {
    return reinterpret_cast<Node*>(static_cast<std::uintptr_t>(word & (one_reader - 1)));
  }

  // User space lies below 2^48 on the 64-bit systems there are, unless a program asks otherwise.
  static Word word_of(const Node* node) {
    const Word word = reinterpret_cast<std::uintptr_t>(node);
    if (word >= one_reader) throw std::bad_alloc();
    return word;
  }

  static void settle(Node* node, std::int64_t change) noexcept {
    if (node->debt.fetch_add(change, std::memory_order_acq_rel) + change == 0) delete node;
  }

  void give_back(Node* node) const noexcept {
    Word word = word_.load(std::memory_order_relaxed);
    while (node_of(word) == node) {
      if (word_.compare_exchange_weak(word, word - one_reader, std::memory_order_release,
                                      std::memory_order_relaxed)) {
        return;
      }
    }
    settle(node, -1);
  }

  mutable conc::detail::Atomic<Word> word_{0};
  conc::detail::Mutex writers_;
};

}  // namespace conc::logging::detail

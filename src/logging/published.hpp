// Published: a value that many threads read, without a lock, while now and then one replaces it.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/machine.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include "hazard.hpp"

namespace conc::logging::detail {

// Readers see one immutable version of the value for as long as they look at it, whatever is
// published meanwhile; a version dies with its last reader, so what it holds (a file, for instance)
// is given back at once and not some time later. Reading costs a few loads and stores, see Hazard.
// There is nothing to repair in the child of a fork but the writers' mutex; a version that another
// thread was reading is never freed there.
//
// A version's node is
//
//   current   in the word, to be found by readers
//   retired   in the list, until no thread has it marked; whoever finds that so, under the writers'
//             mutex, takes it out and frees it
template <class T>
class Published {
  struct Node {
    explicit Node(T initial) : value(std::move(initial)) {}
    T value;
    Node* next = nullptr;  // retired before this one
    bool settled = false;  // whether all marks can be seen that were made while it was current
  };

 public:
  // A look at one version. Null when the value was empty.
  class Reading {
   public:
    Reading(Reading&& other) noexcept
        : home_(other.home_),
          node_(std::exchange(other.node_, nullptr)),
          hazard_(std::move(other.hazard_)) {}
    Reading& operator=(Reading&&) = delete;
    // By the thread that reads.
    ~Reading() {
      if (node_ == nullptr) return;
      hazard_.unmark();
      if (home_->current() != node_) [[unlikely]]
        home_->sweep();
    }

    explicit operator bool() const noexcept { return node_ != nullptr; }
    const T& operator*() const noexcept { return node_->value; }
    const T* operator->() const noexcept { return &node_->value; }

   private:
    friend class Published;
    Reading() noexcept : home_(nullptr), node_(nullptr), hazard_(nullptr) {}
    Reading(const Published* home, const Node* node, Hazard&& hazard) noexcept
        : home_(home), node_(node), hazard_(std::move(hazard)) {}

    const Published* home_;
    const Node* node_;
    Hazard hazard_;
  };

  Published() = default;
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;

  // No reader may be left.
  ~Published() {
    delete current_.load(std::memory_order_acquire);
    free_all(retired_);
  }

  // Throws std::bad_alloc, at the thread's first readings.
  [[nodiscard]] Reading read() const {
    const Node* node = current_.load(std::memory_order_relaxed);
    if (node == nullptr) return {};
    Hazard hazard;
    for (;;) {
      hazard.mark(node);
      // Also: the node was filled before it was published.
      const Node* const now = current();
      if (now == node) return {this, node, std::move(hazard)};
      // Replaced just then, by a writer that may have found it marked already.
      hazard.unmark();
      sweep();
      if (now == nullptr) return {};
      node = now;
    }
  }

  // Whether the value is empty at some moment during the call. One load.
  [[nodiscard]] bool empty() const noexcept {
    return current_.load(std::memory_order_relaxed) == nullptr;
  }

  // Lets `change(T&)` alter a copy of the value and publishes the copy, unless `change` returns
  // false; as the empty value when it is equal to T(). Writers wait for each other, so `change`
  // must not run user code.
  // Throws what copying and `change` throw; nothing is changed then.
  template <class Change>
  void update(Change change) {
    // Outlives the guard: what the old version holds may run user code when it dies.
    Unread unread;
    const std::lock_guard guard(writers_);
    const Node* const before = current_.load(std::memory_order_relaxed);
    auto next = std::make_unique<Node>(before != nullptr ? before->value : T());
    if (!change(next->value)) return;
    if (next->value == T()) next.reset();
    Node* const old = current_.exchange(next.release(), std::memory_order_seq_cst);
    if (old == nullptr) return;
    old->next = retired_;
    retired_ = old;
    if (Hazard::barrier_for_all()) {
      for (Node* node = retired_; node != nullptr; node = node->next) node->settled = true;
    }
    unread.nodes = take_unread();
  }

  // In the child of a fork, whose other threads are gone.
  void renew_after_fork() noexcept { ::new (static_cast<void*>(&writers_)) conc::detail::Mutex; }

 private:
  // Nodes that are about to be freed.
  struct Unread {
    Node* nodes = nullptr;
    Unread() = default;
    Unread(const Unread&) = delete;
    Unread& operator=(const Unread&) = delete;
    ~Unread() { free_all(nodes); }
  };

  static void free_all(Node* nodes) noexcept {
    while (nodes != nullptr) delete std::exchange(nodes, nodes->next);
  }

  // Comes after what the thread has marked or unmarked.
  [[nodiscard]] const Node* current() const noexcept {
    return current_.load(std::memory_order_seq_cst);
  }

  // For a reader that had a version marked which was replaced meanwhile: it may be the last one.
  CONC_COLD void sweep() const noexcept {
    Unread unread;
    const std::lock_guard guard(writers_);
    unread.nodes = take_unread();
  }

  [[nodiscard]] Node* take_unread() const noexcept {
    Node* unread = nullptr;
    for (Node** link = &retired_; *link != nullptr;) {
      Node* const node = *link;
      if (!node->settled || Hazard::is_marked(node)) {
        link = &node->next;
      } else {
        *link = node->next;
        node->next = std::exchange(unread, node);
      }
    }
    return unread;
  }

  conc::detail::Atomic<Node*> current_{nullptr};  // null: the empty value
  mutable conc::detail::Mutex writers_;
  mutable Node* retired_ = nullptr;  // guarded by writers_
};

}  // namespace conc::logging::detail

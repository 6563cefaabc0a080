// WaitList: the nodes of those who wait for an object. How they sleep is in waiting.hpp.
#pragma once

#include <cstddef>

namespace conc::detail {

class WaitNode;

// How a node gets its wake-up. Called with no lock held, once for each time the node was taken off
// a list. The node may be gone when it returns.
using WakeFunction = void (*)(WaitNode&) noexcept;

// A place in a wait list. The links belong to the object whose list it is in, under that object's
// mutex; so does everything a derived node adds for its object. What a waker writes into the node
// before wake(), the woken thread sees.
class WaitNode {
 public:
  explicit WaitNode(WakeFunction function) noexcept : wake_(function) {}
  WaitNode(const WaitNode&) = delete;
  WaitNode& operator=(const WaitNode&) = delete;

  // Whether it is in the object's list. Under the mutex of the object.
  [[nodiscard]] bool linked() const noexcept { return linked_; }

  void wake() noexcept { wake_(*this); }

 private:
  friend class WaitList;
  friend class WakeChain;

  WaitNode* next_ = nullptr;
  WaitNode* previous_ = nullptr;
  const WakeFunction wake_;
  bool linked_ = false;
};

// Nodes on their way from a list to their wake-up, in order. Reached by one thread only, so it
// needs no mutex; the nodes in it are off the list, that is, as good as woken.
class WakeChain {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }

  void push_back(WaitNode& node) noexcept {
    node.next_ = nullptr;
    (last_ != nullptr ? last_->next_ : first_) = &node;
    last_ = &node;
  }

  WaitNode& pop_front() noexcept {
    WaitNode& node = *first_;
    first_ = node.next_;
    if (first_ == nullptr) last_ = nullptr;
    return node;
  }

  // Wakes every node and leaves the chain empty. With no lock held.
  void wake_all() noexcept {
    while (!empty()) pop_front().wake();
  }

 private:
  WaitNode* first_ = nullptr;
  WaitNode* last_ = nullptr;
};

// First in, first out; two words. Every call is O(1) but for size(), and is made under the mutex of
// the object.
class WaitList {
 public:
  constexpr WaitList() noexcept = default;
  WaitList(const WaitList&) = delete;
  WaitList& operator=(const WaitList&) = delete;

  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] bool has_one() const noexcept { return first_ != nullptr && first_ == last_; }
  [[nodiscard]] WaitNode* front() const noexcept { return first_; }
  [[nodiscard]] std::size_t size() const noexcept;

  void push_back(WaitNode& node) noexcept;
  void push_front(WaitNode& node) noexcept;
  void remove(WaitNode& node) noexcept;
  WaitNode& pop_front() noexcept;

  // Takes the first n nodes, or all that there are, off the list.
  WakeChain take_front(std::size_t n) noexcept;
  WakeChain take_all() noexcept { return take_front(static_cast<std::size_t>(-1)); }

  // Leaves the list empty and touches no node: in the child of a fork they are gone.
  void forget_all() noexcept { first_ = last_ = nullptr; }

  // Calls f(node) for each, in order.
  template <class F>
  void for_each(F&& f) const {
    for (const WaitNode* node = first_; node != nullptr; node = node->next_) f(*node);
  }

 private:
  WaitNode* first_ = nullptr;
  WaitNode* last_ = nullptr;
};

}  // namespace conc::detail

#include <conc/detail/wait_list.hpp>

namespace conc::detail {

std::size_t WaitList::size() const noexcept {
  std::size_t count = 0;
  for_each([&count](const WaitNode&) { ++count; });
  return count;
}

void WaitList::push_back(WaitNode& node) noexcept {
  node.next_ = nullptr;
  node.previous_ = last_;
  (last_ != nullptr ? last_->next_ : first_) = &node;
  last_ = &node;
  node.linked_ = true;
}

void WaitList::push_front(WaitNode& node) noexcept {
  node.next_ = first_;
  node.previous_ = nullptr;
  (first_ != nullptr ? first_->previous_ : last_) = &node;
  first_ = &node;
  node.linked_ = true;
}

void WaitList::remove(WaitNode& node) noexcept {
  (node.previous_ != nullptr ? node.previous_->next_ : first_) = node.next_;
  (node.next_ != nullptr ? node.next_->previous_ : last_) = node.previous_;
  node.linked_ = false;
}

WaitNode& WaitList::pop_front() noexcept {
  WaitNode& node = *first_;
  remove(node);
  return node;
}

WakeChain WaitList::take_front(std::size_t n) noexcept {
  WakeChain taken;
  for (; n > 0 && !empty(); --n) taken.push_back(pop_front());
  return taken;
}

}  // namespace conc::detail

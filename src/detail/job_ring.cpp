#include "job_ring.hpp"

#include <utility>

namespace conc::detail {

JobRing::~JobRing() {
  while (all_blocks_ != nullptr) delete std::exchange(all_blocks_, all_blocks_->older);
}

void JobRing::add(JobBlock& block) noexcept {
  block.older = std::exchange(all_blocks_, &block);
  retire(block);
}

// Puts a block aside whose slots are all free.
void JobRing::retire(JobBlock& block) noexcept {
  block.next = std::exchange(spare_blocks_, &block);
  ++spare_;
}

void JobRing::push(Job& job) noexcept {
  if (tail_ == slots_in_block) [[unlikely]]
    begin_block();
  JobSlot& slot = tail_block_->slots[tail_];
  job.place.index = static_cast<std::uint16_t>(tail_++);
  slot.store(&job, std::memory_order_relaxed);
  job.place.next_or_mark.store(queue_.mark, std::memory_order_relaxed);
  job.place.slot.store(&slot, std::memory_order_release);
  ++size_;
  ++queue_.entered;
  queue_.size.store(queue_.size.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void JobRing::begin_block() noexcept {
  JobBlock& block = *std::exchange(spare_blocks_, spare_blocks_->next);
  --spare_;
  block.next = nullptr;
  block.number = ++blocks_begun_;
  block.not_passed = slots_in_block;
  JobBlock* const full = std::exchange(tail_block_, &block);
  tail_ = 0;
  if (full == nullptr) {
    head_block_ = &block;
    return;
  }
  full->next = &block;
  if (full->not_passed == 0) {  // then the head stands at its end
    head_block_ = &block;
    head_ = 0;
    retire(*full);
  }
}

void JobRing::pass(JobBlock& block, std::size_t n) noexcept {
  block.not_passed -= n;
  if (block.not_passed != 0 || &block == tail_block_) return;
  if (&block == head_block_) {
    head_block_ = block.next;
    head_ = 0;
  }
  retire(block);
}

void JobRing::passed(const JobStretch& stretch) noexcept {
  pass(*stretch.block, stretch.end - stretch.first);
}

// At the end of a block, which has another behind it then, moves the head there.
void JobRing::leave_block() noexcept {
  if (head_ != slots_in_block) return;
  head_block_ = head_block_->next;
  head_ = 0;
}

// Moves the head to the oldest job, or to the tail, so that the slots before it can be used again
// though nobody reserves any more.
void JobRing::skip_withdrawn() noexcept {
  for (; withdrawn_ != 0; --withdrawn_) {
    leave_block();
    if (head_block_->slots[head_].load(std::memory_order_relaxed) != nullptr) return;
    ++head_;
    pass(*head_block_, 1);
  }
}

JobStretch JobRing::reserve(std::size_t n) noexcept {
  skip_withdrawn();
  leave_block();
  const std::size_t last = head_block_ == tail_block_ ? tail_ : slots_in_block;
  const JobStretch stretch{head_block_, head_, last - head_ < n ? last : head_ + n};
  std::size_t jobs = stretch.end - stretch.first;
  if (withdrawn_ != 0) {
    for (std::size_t i = stretch.first; i != stretch.end; ++i) {
      if (stretch.block->slots[i].load(std::memory_order_relaxed) != nullptr) continue;
      --jobs;
      --withdrawn_;
    }
  }
  head_ = stretch.end;
  size_ -= jobs;
  queue_.size.store(queue_.size.load(std::memory_order_relaxed) - jobs, std::memory_order_relaxed);
  return stretch;
}

Job& JobRing::pop() noexcept {
  const JobStretch one = reserve(1);
  Job* const job = one.block->slots[one.first].exchange(nullptr, std::memory_order_acq_rel);
  passed(one);
  return *job;
}

bool JobRing::withdraw(Job& job) noexcept {
  JobSlot* const slot = job.place.slot.load(std::memory_order_relaxed);
  Job* expected = &job;
  if (!slot->compare_exchange_strong(expected, nullptr, std::memory_order_acq_rel)) return false;
  const JobBlock& block = JobBlock::of(job, slot);
  const bool reserved = block.number != head_block_->number ? block.number < head_block_->number
                                                            : job.place.index < head_;
  if (!reserved) {
    --size_;
    ++withdrawn_;
    queue_.size.store(queue_.size.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
    skip_withdrawn();
  }
  return true;
}

}  // namespace conc::detail

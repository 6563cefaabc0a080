// TimerHeap: started timers by the time when they are due.
//
// A heap in which every entry has four children, which lie in one or two cache lines: half as deep
// as a binary one. An entry holds the time, so that comparing touches no timer. Each timer knows
// its place, so that it can be taken out from anywhere in O(log n).
//
// TimerLine: timers that are due, first in, first out, any of which can be taken out in O(1).
#pragma once

#include <conc/detail/timer_core.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace conc::detail {

class TimerHeap {
 public:
  using TimePoint = Until::Clock::time_point;
  struct Entry {
    TimePoint deadline;
    TimerState* timer;
  };

  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return entries_.capacity(); }
  [[nodiscard]] TimePoint earliest() const noexcept {
    return empty() ? TimePoint::max() : entries_.front().deadline;
  }

  // Takes `room` over, which is empty and has more capacity, and leaves the old memory there.
  void move_to(std::vector<Entry>& room) noexcept {
    room.assign(entries_.begin(), entries_.end());
    entries_.swap(room);
  }

  // The capacity must suffice.
  void push(TimerState& timer) noexcept {
    const Entry entry{timer.deadline_, &timer};
    entries_.push_back(entry);
    sift_up(entries_.size() - 1, entry);
  }

  TimerState& pop() noexcept {
    TimerState& first = *entries_.front().timer;
    remove(first);
    return first;
  }

  void remove(TimerState& timer) noexcept {
    const std::size_t hole = timer.index_;
    const Entry last = entries_.back();
    entries_.pop_back();
    if (hole == entries_.size()) return;
    if (hole != 0 && last.deadline < entries_[parent(hole)].deadline) {
      sift_up(hole, last);
    } else {
      sift_down(hole, last);
    }
  }

 private:
  static constexpr std::size_t children = 4;
  static constexpr std::size_t parent(std::size_t i) noexcept { return (i - 1) / children; }

  void put(std::size_t i, const Entry& entry) noexcept {
    entries_[i] = entry;
    entry.timer->index_ = i;
  }

  void sift_up(std::size_t hole, Entry entry) noexcept {
    while (hole != 0 && entry.deadline < entries_[parent(hole)].deadline) {
      put(hole, entries_[parent(hole)]);
      hole = parent(hole);
    }
    put(hole, entry);
  }

  void sift_down(std::size_t hole, Entry entry) noexcept {
    for (;;) {
      const std::size_t first = children * hole + 1;
      if (first >= entries_.size()) break;
      const std::size_t end = std::min(first + children, entries_.size());
      std::size_t least = first;
      for (std::size_t i = first + 1; i < end; ++i) {
        if (entries_[i].deadline < entries_[least].deadline) least = i;
      }
      if (entry.deadline <= entries_[least].deadline) break;
      put(hole, entries_[least]);
      hole = least;
    }
    put(hole, entry);
  }

  std::vector<Entry> entries_;
};

class TimerLine {
 public:
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  void push_back(TimerState& timer, Until::Clock::time_point now) noexcept {
    timer.index_ = TimerState::in_line;
    timer.in_line_since_ = now;
    timer.next_ = nullptr;
    timer.previous_ = last_;
    (last_ != nullptr ? last_->next_ : first_) = &timer;
    last_ = &timer;
    ++size_;
  }

  // It must not be empty.
  [[nodiscard]] Until::Clock::time_point front_since() const noexcept {
    return first_->in_line_since_;
  }
  TimerState& pop_front() noexcept {
    TimerState& timer = *first_;
    remove(timer);
    return timer;
  }

  void remove(TimerState& timer) noexcept {
    (timer.previous_ != nullptr ? timer.previous_->next_ : first_) = timer.next_;
    (timer.next_ != nullptr ? timer.next_->previous_ : last_) = timer.previous_;
    --size_;
  }

 private:
  TimerState* first_ = nullptr;
  TimerState* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace conc::detail

#include "block.hpp"

#include <conc/event.hpp>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <new>

#include <unistd.h>

#include "part_list.hpp"

namespace conc::logging::detail {
namespace {

// So many lines are a block, however short they are.
constexpr std::size_t most_lines = 1024;

// How much of a block is taken: one word, to which each line adds itself.
//
//   bytes    of the text, from the lowest bit on
//   lines    above them
//   no_more  so many bytes that no line fits: the block is shut
//
// A line that finds bytes or lines beyond the limits has no place, and whoever wants it takes the
// lock. What such lines add does not matter: there are never so many of them at once that the bytes
// run over into the lines.
using Taken = std::uint64_t;
constexpr Taken no_more = Taken{1} << 30;
constexpr int line_shift = 32;

constexpr Taken taken(std::size_t bytes, std::size_t lines) noexcept {
  return bytes | Taken{lines} << line_shift;
}
constexpr std::size_t bytes_of(Taken word) noexcept { return static_cast<std::uint32_t>(word); }
constexpr std::size_t lines_of(Taken word) noexcept { return word >> line_shift; }

// What is known of a line, by its number.
//
//   0        its thread is in the middle of it; or there is no such line
//   refused  the first one that had no place: those before it are all there are
//   other    it is there: its end, its begin, and whether it was saved after a crash
using Mark = std::uint64_t;
constexpr Mark refused = 1;
constexpr Mark saved = 2;
constexpr Mark there = 4;

constexpr Mark mark_of(std::size_t begin, std::size_t end) noexcept {
  return there | Mark{begin} << 16 | Mark{end} << 40;
}
constexpr std::size_t begin_of(Mark mark) noexcept { return mark >> 16 & 0xFF'FFFF; }
constexpr std::size_t end_of(Mark mark) noexcept { return mark >> 40; }

// For a line that a thread is in the middle of. That takes no longer than copying it, unless the
// thread has lost its processor, to this one perhaps, which may have the higher priority.
void wait_after(int looks) noexcept {
  if (looks < 64) return conc::detail::cpu_pause();
  if (looks < 128) return conc::detail::cpu_yield();
  try {
    Event never("logging.FileHandler");
    static_cast<void>(never.wait(std::chrono::microseconds(50)));
  } catch (const std::bad_alloc&) {
    conc::detail::cpu_yield();
  }
}

// How many threads write blocks after a crash just now. While there are any, no block's places are
// used again: a line that comes anew is not taken for one that was saved.
constinit conc::detail::Atomic<int> savers{0};

}  // namespace

// Lines are copied first and marked then. A shut block's word has no_more in it.
struct Block::Store : PartList<Store>::Link {
  conc::detail::Atomic<int> fd{-1};  // where the lines go
  // Each on cache lines of their own, since several threads write them at once.
  alignas(64) conc::detail::Atomic<Taken> taken{no_more};
  conc::detail::Atomic<std::uint32_t> openings{0};  // how often it was opened
  alignas(64) conc::detail::Atomic<Mark> marks[most_lines + 1] = {};
  alignas(64) char text[capacity];

  // The first lines from `from` on, and before `end`, that are there and not saved; none at `end`.
  template <class Look>
  [[nodiscard]] Stretch unsaved(std::size_t from, std::size_t end, Look look) const noexcept;

  void save() noexcept;

  static constinit PartList<Store> all;
};

constinit PartList<Block::Store> Block::Store::all{};

Block::~Block() {
  if (store_ == nullptr) return;
  clear();
  store_->give_back();
}

bool Block::try_append(std::string_view line) noexcept {
  Store* const store = open_.load(std::memory_order_acquire);
  if (store == nullptr || line.size() > capacity) return false;
  // Acquire: the place was cleared. Sequentially consistent: see Flusher::Client.
  const Taken before =
      store->taken.fetch_add(detail::taken(line.size(), 1), std::memory_order_seq_cst);
  const std::size_t begin = bytes_of(before);
  const std::size_t number = lines_of(before);
  if (begin > capacity || number > most_lines) return false;
  if (line.size() > capacity - begin || number == most_lines) {
    store->marks[number].store(refused, std::memory_order_release);
    return false;
  }
  std::memcpy(store->text + begin, line.data(), line.size());
  store->marks[number].store(mark_of(begin, begin + line.size()), std::memory_order_release);
  return true;
}

void Block::open() noexcept {
  // Before what may come then.
  store_->openings.fetch_add(1, std::memory_order_release);
  // Release: what is there is cleared, and the file known.
  store_->taken.store(taken(size_, lines_), std::memory_order_release);
  open_.store(store_, std::memory_order_release);
}

void Block::shut() noexcept {
  if (open_.load(std::memory_order_relaxed) == nullptr) return;
  open_.store(nullptr, std::memory_order_relaxed);
  // In the total order with the additions of lines, see Flusher::Client.
  const Taken before = store_->taken.fetch_or(no_more, std::memory_order_seq_cst);
  for (const std::size_t lines = lines_of(before); lines_ != lines; ++lines_) {
    Mark mark = store_->marks[lines_].load(std::memory_order_acquire);
    for (int looks = 0; mark == 0; ++looks) {
      wait_after(looks);
      mark = store_->marks[lines_].load(std::memory_order_acquire);
    }
    if (mark == refused) {
      store_->marks[lines_].store(0, std::memory_order_relaxed);
      break;
    }
    size_ = end_of(mark);
  }
}

bool Block::append(std::string_view line, int fd) {
  if (line.size() > capacity - size_ || lines_ == most_lines) return false;
  if (store_ == nullptr) store_ = Store::all.take();
  std::memcpy(store_->text + size_, line.data(), line.size());
  if (lines_ == 0) store_->fd.store(fd, std::memory_order_relaxed);
  // Release: whoever sees the mark sees the text and the file.
  store_->marks[lines_].store(mark_of(size_, size_ + line.size()), std::memory_order_release);
  size_ += line.size();
  ++lines_;
  return true;
}

template <class Look>
Block::Stretch Block::Store::unsaved(std::size_t from, std::size_t end, Look look) const noexcept {
  Stretch found{from, from};
  std::size_t begin = 0;
  std::size_t stop = 0;
  for (; found.end != end; ++found.end) {
    const Mark mark = look(found.end);
    if ((mark & (there | saved)) == there) {
      if (found.first == found.end) begin = begin_of(mark);
      stop = end_of(mark);
    } else if (found.first == found.end) {
      ++found.first;
    } else {
      break;
    }
  }
  found.text = std::string_view(text + begin, stop - begin);
  return found;
}

Block::Stretch Block::unsaved(std::size_t from) const noexcept {
  if (store_ == nullptr) return {};
  return store_->unsaved(from, lines_, [this](std::size_t number) {
    return store_->marks[number].load(std::memory_order_acquire);
  });
}

Block::Whole Block::whole_lines(const Stretch& stretch, std::size_t size) const noexcept {
  if (size == stretch.text.size()) return {stretch.end - stretch.first, true};
  const auto end_in_text = [&](std::size_t number) {
    return end_of(store_->marks[number].load(std::memory_order_relaxed)) -
           static_cast<std::size_t>(stretch.text.data() - store_->text);
  };
  std::size_t number = stretch.first;
  while (number != stretch.end && end_in_text(number) <= size) ++number;
  const std::size_t lines = number - stretch.first;
  return {lines, size == 0 || (lines != 0 && end_in_text(number - 1) == size)};
}

void Block::clear() noexcept {
  if (store_ == nullptr) return;
  store_->taken.store(no_more, std::memory_order_relaxed);
  for (; lines_ != 0; --lines_) store_->marks[lines_ - 1].store(0, std::memory_order_relaxed);
  size_ = 0;
  // Either a saver sees no lines here, or it is seen here: both add to the number.
  for (int looks = 0; savers.fetch_add(0, std::memory_order_acq_rel) != 0; ++looks) {
    wait_after(looks);
  }
}

void Block::forget() noexcept {
  if (store_ == nullptr) return;
  open_.store(nullptr, std::memory_order_relaxed);
  store_->taken.store(no_more, std::memory_order_relaxed);
  for (auto& mark : store_->marks) mark.store(0, std::memory_order_relaxed);
  size_ = lines_ = 0;
}

// The other threads go on meanwhile, so what they have begun is waited for, but not for long: the
// thread that was interrupted does not go on, and may have begun a line itself. When such a line is
// left out, so are those that its thread may have put in after it.
void Block::Store::save() noexcept {
  const std::uint32_t opened = openings.load(std::memory_order_acquire);
  const Taken word = taken.load(std::memory_order_acquire);
  const bool is_open = bytes_of(word) <= capacity && lines_of(word) <= most_lines;
  // When it is not open, nothing comes behind a line in the middle until it is opened again.
  const std::size_t last = is_open ? lines_of(word) : most_lines;
  int looks = 1000;
  bool left_out = false;
  const auto look = [&](std::size_t number) {
    Mark mark = marks[number].load(std::memory_order_acquire);
    while (mark == 0 && number < lines_of(taken.load(std::memory_order_relaxed)) && looks != 0) {
      --looks;
      conc::detail::cpu_yield();
      mark = marks[number].load(std::memory_order_acquire);
    }
    if (mark == 0) left_out = true;
    const bool may_be_later = left_out && !is_open;
    return may_be_later && openings.load(std::memory_order_acquire) != opened ? Mark{0} : mark;
  };
  for (Stretch lines = unsaved(0, last, look); lines.first != lines.end;
       lines = unsaved(lines.end, last, look)) {
    std::size_t done = 0;
    while (done < lines.text.size()) {
      const ::ssize_t count = ::write(fd.load(std::memory_order_relaxed), lines.text.data() + done,
                                      lines.text.size() - done);
      if (count > 0) {
        done += static_cast<std::size_t>(count);
      } else if (count == 0 || errno != EINTR) {
        break;
      }
    }
    const std::size_t saved_to = static_cast<std::size_t>(lines.text.data() - text) + done;
    for (std::size_t number = lines.first; number != lines.end; ++number) {
      Mark mark = marks[number].load(std::memory_order_relaxed);
      if (end_of(mark) > saved_to) return;
      // Unless the handler has written and cleared it meanwhile.
      if (mark != 0) {
        marks[number].compare_exchange_strong(mark, mark | saved, std::memory_order_release,
                                              std::memory_order_relaxed);
      }
    }
  }
}

void Block::write_all_after_crash() noexcept {
  savers.fetch_add(1, std::memory_order_acq_rel);
  for (Store* one = Store::all.first(); one != nullptr; one = one->next()) one->save();
  savers.fetch_sub(1, std::memory_order_release);
}

void Block::renew_after_fork() noexcept { savers.store(0, std::memory_order_relaxed); }

}  // namespace conc::logging::detail

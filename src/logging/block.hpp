// Block: lines on their way to a file, where a crash finds them.
#pragma once

#include <conc/detail/machine.hpp>

#include <atomic>
#include <cstddef>
#include <string_view>

namespace conc::logging::detail {

// Belongs to one handler. While it is shut, which it is at first, the handler's lock guards it;
// while it is open, any thread may put lines in without the lock. Lines come in the order in which
// their threads ask for room, so a line that was put in before another thread asked comes before
// that one's.
class Block {
 public:
  // Large enough that the system call is a small part of what a line costs.
  static constexpr std::size_t capacity = 32 * 1024;

  // Lines in a row.
  struct Stretch {
    std::size_t first = 0;  // the numbers of the first one and of the one behind the last
    std::size_t end = 0;
    std::string_view text = {};
  };

  Block() = default;
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  // Puts the line behind the others without the lock; false when the block is shut or full.
  // Cost: an atomic addition and three stores beside copying the text.
  [[nodiscard]] bool try_append(std::string_view line) noexcept;

  // ---- With the lock held

  // Lets threads put lines in without it. There must be a line in it already.
  void open() noexcept;

  // Keeps them out, and returns when those that are in the middle of a line are done.
  void shut() noexcept;

  // ---- With the lock held, while it is shut

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  // Puts the line behind the others, which go to the file open as `fd`; false when there is no
  // room. Throws std::bad_alloc; the line is not in the block then.
  [[nodiscard]] bool append(std::string_view line, int fd);

  // The first lines from that number on that write_all_after_crash() has not written; none at the
  // end.
  [[nodiscard]] Stretch unsaved(std::size_t from) const noexcept;

  // How many of the stretch's lines are wholly in the first `size` bytes of its text, and whether
  // these bytes are whole lines.
  struct Whole {
    std::size_t lines;
    bool exactly;
  };
  [[nodiscard]] Whole whole_lines(const Stretch& stretch, std::size_t size) const noexcept;

  // Waits while a thread is in write_all_after_crash().
  void clear() noexcept;

  // In the child of a fork: forgets all, with the lines that the parent's threads had begun.
  void forget() noexcept;

  // Writes what is in any block to its file, and notes it as saved: the program may go on, and
  // write its blocks itself. Safe in a signal handler.
  static void write_all_after_crash() noexcept;

  // In the child of a fork, where nobody is in write_all_after_crash() any more.
  static void renew_after_fork() noexcept;

 private:
  // Memory that is never freed, but serves another block after this one.
  struct Store;

  conc::detail::Atomic<Store*> open_{nullptr};  // null while it is shut
  Store* store_ = nullptr;                      // from the first line on
  // What was in it when it was shut.
  std::size_t size_ = 0;
  std::size_t lines_ = 0;
};

}  // namespace conc::logging::detail

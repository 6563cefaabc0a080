// Block: lines on their way to a file, where a crash finds them.
#pragma once

#include <conc/detail/machine.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace conc::logging::detail {

// Belongs to one handler and is guarded by its lock, but for write_all_after_crash(), which a signal
// handler calls.
class Block {
 public:
  // Large enough that the system call is a small part of what a line costs.
  static constexpr std::size_t capacity = 32 * 1024;

  Block() = default;
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  [[nodiscard]] std::size_t size() const noexcept;
  // How many lines are in it.
  [[nodiscard]] std::size_t lines() const noexcept { return ends_.size(); }
  // How many of them are not wholly in its first `size` bytes.
  [[nodiscard]] std::size_t lines_beyond(std::size_t size) const noexcept;
  // Whether the first `size` bytes are whole lines.
  [[nodiscard]] bool is_whole(std::size_t size) const noexcept;

  [[nodiscard]] std::string_view text() const noexcept;

  // How many bytes of the text write_all_after_crash() has written already.
  [[nodiscard]] std::size_t saved() const noexcept;

  // Puts the line behind the others, which go to the file open as `fd`; false when there is no room.
  // Throws std::bad_alloc; the line is not in the block then.
  [[nodiscard]] bool append(std::string_view line, int fd);

  void clear() noexcept;

  // Writes what is in any block to its file, and notes it as saved: the program may go on for a
  // while, and write its blocks itself. Safe in a signal handler.
  static void write_all_after_crash() noexcept;

 private:
  // Memory that is never freed, but serves another block after this one.
  struct Store;

  Store* store_ = nullptr;           // from the first line on
  std::vector<std::uint32_t> ends_;  // of the lines
};

}  // namespace conc::logging::detail

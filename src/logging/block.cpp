#include "block.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <unistd.h>

#include "part_list.hpp"

namespace conc::logging::detail {

//   fd       where the lines go, stored before `filled`
//   filled   so many bytes of `text` are whole lines; stored after them. 0: nothing to write
//   saved    so many of them a signal handler has written, if the program goes on after it
struct Block::Store : PartList<Store>::Link {
  conc::detail::Atomic<int> fd{-1};
  conc::detail::Atomic<std::size_t> filled{0};
  conc::detail::Atomic<std::size_t> saved{0};
  char text[capacity];

  static constinit PartList<Store> all;
};

constinit PartList<Block::Store> Block::Store::all{};

Block::~Block() {
  if (store_ == nullptr) return;
  clear();
  store_->give_back();
}

std::size_t Block::size() const noexcept {
  return store_ != nullptr ? store_->filled.load(std::memory_order_relaxed) : 0;
}

std::size_t Block::lines_beyond(std::size_t size) const noexcept {
  const auto first = std::upper_bound(ends_.begin(), ends_.end(), size);
  return static_cast<std::size_t>(ends_.end() - first);
}

bool Block::is_whole(std::size_t size) const noexcept {
  return size == 0 || std::binary_search(ends_.begin(), ends_.end(), size);
}

std::size_t Block::saved() const noexcept {
  return store_ != nullptr ? store_->saved.load(std::memory_order_acquire) : 0;
}

std::string_view Block::text() const noexcept {
  return store_ != nullptr ? std::string_view(store_->text, size()) : std::string_view();
}

bool Block::append(std::string_view line, int fd) {
  const std::size_t before = size();
  if (line.size() > capacity - before) return false;
  if (store_ == nullptr) store_ = Store::all.take();
  ends_.push_back(static_cast<std::uint32_t>(before + line.size()));
  std::memcpy(store_->text + before, line.data(), line.size());
  if (before == 0) store_->fd.store(fd, std::memory_order_relaxed);
  // Release: whoever sees the size sees the text and the file.
  store_->filled.store(before + line.size(), std::memory_order_release);
  return true;
}

void Block::clear() noexcept {
  ends_.clear();
  if (store_ == nullptr) return;
  store_->filled.store(0, std::memory_order_relaxed);
  store_->saved.store(0, std::memory_order_relaxed);
}

void Block::write_all_after_crash() noexcept {
  for (Store* one = Store::all.first(); one != nullptr; one = one->next()) {
    const std::size_t filled = one->filled.load(std::memory_order_acquire);
    std::size_t done = one->saved.load(std::memory_order_relaxed);
    while (done < filled) {
      const ::ssize_t count =
          ::write(one->fd.load(std::memory_order_relaxed), one->text + done, filled - done);
      if (count > 0) {
        done += static_cast<std::size_t>(count);
      } else if (count == 0 || errno != EINTR) {
        break;
      }
    }
    one->saved.store(done, std::memory_order_release);
  }
}

}  // namespace conc::logging::detail

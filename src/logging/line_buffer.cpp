#include "line_buffer.hpp"

#include <cstddef>

namespace conc::logging::detail {
namespace {

// A thread does not hold on to the memory of a longer line.
constexpr std::size_t kept_capacity = 64 * 1024;

// The string of this thread when it is free. There until the very end of the thread, unlike what
// has a destructor.
//
//   null, not met   the thread has none yet
//   null, met       it is in use; or the thread has ended, and there is none any more
constinit thread_local std::string* spare = nullptr;
constinit thread_local bool met = false;

struct Owner {
  std::string text;
  Owner() : text() {
    spare = &text;
    met = true;
  }
  ~Owner() { spare = nullptr; }
};

std::string* meet() noexcept {
  thread_local Owner owner;
  return spare;
}

}  // namespace

LineBuffer::LineBuffer() noexcept : text_(met ? spare : meet()) {
  if (text_ == nullptr) {
    text_ = &own_;
  } else {
    spare = nullptr;
    text_->clear();
  }
}

LineBuffer::~LineBuffer() {
  if (text_ == &own_) return;
  if (text_->capacity() > kept_capacity) std::string().swap(*text_);
  spare = text_;
}

}  // namespace conc::logging::detail

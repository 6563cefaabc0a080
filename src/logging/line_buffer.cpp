#include "line_buffer.hpp"

#include <cstddef>

namespace conc::logging::detail {
namespace {

// A thread does not hold on to the memory of a longer line.
constexpr std::size_t kept_capacity = 64 * 1024;

// There until the very end of the thread, unlike what has a destructor.
constinit thread_local bool spare_is_gone = false;

struct Spare {
  std::string text;
  ~Spare() { spare_is_gone = true; }
};

thread_local Spare spare;

}  // namespace

LineBuffer::LineBuffer() noexcept {
  if (!spare_is_gone) text_.swap(spare.text);
  text_.clear();
}

LineBuffer::~LineBuffer() {
  if (!spare_is_gone && text_.capacity() <= kept_capacity) text_.swap(spare.text);
}

}  // namespace conc::logging::detail

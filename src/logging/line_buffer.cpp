#include "line_buffer.hpp"

#include <conc/detail/short_copy.hpp>

#include <cstddef>
#include <typeinfo>

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

std::string_view LineBuffer::line(const Formatter& formatter, const LogRecord& record,
                                  std::string_view terminator) {
  if (typeid(formatter) == typeid(Formatter) && terminator.size() < room_size) {
    char* end = formatter.write(record, room_, room_ + room_size - terminator.size());
    if (end != nullptr) {
      end = conc::detail::copy_short(terminator.data(), terminator.size(), end);
      return {room_, static_cast<std::size_t>(end - room_)};
    }
  }
  take();
  formatter.format(record, *text_);
  return *text_ += terminator;
}

void LineBuffer::take() noexcept {
  text_ = met ? spare : meet();
  if (text_ == nullptr) {
    text_ = &own_.emplace();
  } else {
    spare = nullptr;
    text_->clear();
  }
}

void LineBuffer::give_back() noexcept {
  if (own_) return;
  if (text_->capacity() > kept_capacity) std::string().swap(*text_);
  spare = text_;
}

}  // namespace conc::logging::detail

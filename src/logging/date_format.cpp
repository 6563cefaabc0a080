#include "date_format.hpp"

#include <conc/detail/machine.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <ctime>
#include <limits>
#include <stdexcept>

#include "calendar.hpp"

namespace conc::logging::detail {
namespace {

constexpr std::string_view default_format = "%Y-%m-%d %H:%M:%S";
constexpr std::uint64_t default_key = 1;

// strftime() returns 0 both for an empty text and for a buffer that is too small. With a mark at
// the end no text is empty.
constexpr char mark = '.';

constexpr std::size_t milliseconds_size = 4;  // ",042"
constexpr std::int64_t second_in_ns = 1'000'000'000;
constexpr std::int64_t millisecond_in_ns = 1'000'000;

// Times are nanoseconds since the epoch, and not negative.
struct Slot {
  std::uint64_t key = 0;    // of nobody
  std::int64_t begin = 0;   // of the time that the text is good for: a second, or a millisecond
  std::int64_t second = 0;  // that it is in
  std::size_t size = 0;     // of the text, but for the milliseconds
  std::array<char, 64> text{};
};

// What this thread made last. Nothing to destroy, so it serves to the very end of the thread. A
// program rarely has more formats than there are slots.
constinit thread_local std::array<Slot, 4> slots{};

}  // namespace

DateFormat::DateFormat(std::string_view datefmt)
    : format_(datefmt.empty() ? default_format : datefmt), milliseconds_(datefmt.empty()) {
  if (datefmt.find('\0') != std::string_view::npos) {
    throw std::invalid_argument(
        "conc::logging::Formatter: the date format holds a null character, which strftime() takes "
        "for its end.");
  }
  static constinit conc::detail::Atomic<std::uint64_t> last_key{default_key};
  format_ += mark;
  key_ = milliseconds_ ? default_key : last_key.fetch_add(1, std::memory_order_relaxed) + 1;
  if (milliseconds_) return;
  // How long the text is hardly depends on the time.
  std::string room;
  try {
    static_cast<void>(text({}, room));
  } catch (const std::length_error&) {
    throw std::invalid_argument("conc::logging::Formatter: the date format \"" +
                                std::string(datefmt) + "\" makes a text of more than a mebibyte.");
  }
}

std::string_view DateFormat::text(std::chrono::system_clock::time_point time,
                                  std::string& room) const {
  using std::chrono::milliseconds;
  using std::chrono::nanoseconds;
  const auto since_epoch = std::chrono::duration_cast<nanoseconds>(time.time_since_epoch());
  const std::int64_t now = since_epoch.count();
  Slot& slot = slots[key_ % slots.size()];
  const bool mine = slot.key == key_ && now >= slot.begin;
  // Text that was written just now is slow to read, so the milliseconds are written when they
  // change.
  if (mine && now - slot.begin < (milliseconds_ ? millisecond_in_ns : second_in_ns)) [[likely]] {
    return {slot.text.data(), slot.size + (milliseconds_ ? milliseconds_size : 0)};
  }
  std::uint32_t rest = 0;
  if (mine && now - slot.second < second_in_ns) {
    rest = static_cast<std::uint32_t>((now - slot.second) / millisecond_in_ns);
  } else {
    const auto second = std::chrono::floor<std::chrono::seconds>(since_epoch);
    rest = static_cast<std::uint32_t>(
        (std::chrono::floor<milliseconds>(since_epoch) - second).count());
    slot.key = 0;
    const std::tm parts = date_and_time(second.count(), Zone::local);
    const std::size_t size = write_time(slot.text.data(), slot.text.size(), format_.c_str(), parts);
    if (size == 0 || size + milliseconds_size > slot.text.size()) return long_text(parts, room);
    slot.size = size - 1;
    if (now >= 0) {
      slot.key = key_;
      slot.second = second.count() * second_in_ns;
    }
  }
  slot.begin = slot.second;
  if (!milliseconds_) return {slot.text.data(), slot.size};
  slot.begin += rest * millisecond_in_ns;
  char* const end = slot.text.data() + slot.size;
  end[0] = ',';
  end[1] = static_cast<char>('0' + rest / 100);
  end[2] = static_cast<char>('0' + rest / 10 % 10);
  end[3] = static_cast<char>('0' + rest % 10);
  return {slot.text.data(), slot.size + milliseconds_size};
}

std::string_view DateFormat::long_text(const std::tm& parts, std::string& room) const {
  constexpr std::size_t limit = std::size_t{1} << 20;
  for (std::size_t size = 1024; size <= limit; size *= 4) {
    room.resize(size);
    const std::size_t used = write_time(room.data(), size, format_.c_str(), parts);
    if (used != 0) return {room.data(), used - 1};
  }
  throw std::length_error("conc::logging::Formatter: the date format makes too long a text.");
}

}  // namespace conc::logging::detail

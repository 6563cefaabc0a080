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

struct Slot {
  std::uint64_t key = 0;  // of nobody
  std::int64_t second = 0;
  std::size_t size = 0;
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
}

void DateFormat::append(std::chrono::system_clock::time_point time, std::string& out) const {
  using std::chrono::milliseconds;
  const auto since_epoch = std::chrono::floor<milliseconds>(time.time_since_epoch());
  const auto second = std::chrono::floor<std::chrono::seconds>(since_epoch);
  append_second(second.count(), out);
  if (!milliseconds_) return;
  const auto rest = static_cast<unsigned>((since_epoch - second).count());
  const char digits[] = {',', static_cast<char>('0' + rest / 100),
                         static_cast<char>('0' + rest / 10 % 10),
                         static_cast<char>('0' + rest % 10)};
  out.append(digits, sizeof digits);
}

void DateFormat::append_second(std::int64_t second, std::string& out) const {
  Slot& slot = slots[key_ % slots.size()];
  if (slot.key != key_ || slot.second != second) {
    slot.key = 0;
    const std::tm parts = date_and_time(second, Zone::local);
    const std::size_t size =
        std::strftime(slot.text.data(), slot.text.size(), format_.c_str(), &parts);
    if (size == 0) {  // too long for the slot
      constexpr std::size_t limit = std::size_t{1} << 20;
      for (std::size_t room = 1024; room <= limit; room *= 4) {
        std::string text(room, '\0');
        const std::size_t needed = std::strftime(text.data(), room, format_.c_str(), &parts);
        if (needed == 0) continue;
        out.append(text, 0, needed - 1);
        return;
      }
      throw std::length_error("conc::logging::Formatter: the date format makes too long a text.");
    }
    slot.key = key_;
    slot.second = second;
    slot.size = size - 1;
  }
  out.append(slot.text.data(), slot.size);
}

}  // namespace conc::logging::detail

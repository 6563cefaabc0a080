// MapSource: the calls of a map that are still to come.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <ranges>
#include <tuple>
#include <utility>
#include <vector>

namespace conc::detail {

// Goes through the ranges once, and copies the arguments of the calls, `chunksize` at a time. As
// Python's zip(): a value is asked for when the call before was taken, of one range after the
// other; the first that is at its end ends it, and none is looked at any more. Refers to the ranges
// that were lvalues, and holds the others. `Chunk` is a MapChunk.
template <class Chunk, class... Ranges>
class MapSource {
  using Slot = typename Chunk::Slot;

 public:
  using Arguments = typename Chunk::Arguments;

  // When all calls are asked for at once, their chunks have one piece of memory together.
  MapSource(std::size_t chunksize, bool all_at_once, Ranges&&... ranges)
      : chunksize_(chunksize), ranges_(std::forward<Ranges>(ranges)...) {
    if constexpr (countable) {
      std::apply(
          [this](auto&... range) {
            left_ = std::min({static_cast<std::size_t>(std::ranges::size(range.range))...});
          },
          ranges_);
    }
    if (countable && chunksize_ != 1 && all_at_once && left_ != 0) {
      memory_ = Chunk::allocate(left_);
      free_ = memory_.get();
    }
  }

  MapSource(const MapSource&) = delete;
  MapSource& operator=(const MapSource&) = delete;

  [[nodiscard]] std::size_t chunksize() const noexcept { return chunksize_; }

  // The chunks that were made have the memory alone from now on.
  void let_go_of_memory() noexcept { memory_.reset(); }

  // The next calls; nothing when the shortest range has come to its end.
  std::optional<Chunk> next_chunk() {
    if constexpr (countable) {
      const std::size_t calls = std::min(chunksize_, left_);
      if (calls == 0) return std::nullopt;
      auto memory = memory_ ? memory_ : Chunk::allocate(calls);
      auto* const first = memory_ ? std::exchange(free_, free_ + calls) : memory.get();
      left_ -= calls;
      return std::apply(
          [&](auto&... range) {
            (static_cast<void>(range.next()), ...);
            return std::optional<Chunk>(std::in_place, std::move(memory), first, calls,
                                        *range.position...);
          },
          ranges_);
    } else {
      std::vector<Arguments> several;
      while (several.size() != chunksize_) {
        std::optional<Arguments> arguments = next_arguments();
        if (!arguments) break;
        several.push_back(std::move(*arguments));
      }
      if (several.empty()) return std::nullopt;
      return std::optional<Chunk>(std::in_place, std::move(several));
    }
  }

  // The arguments of the next call; nothing when the shortest range has come to its end.
  std::optional<Arguments> next_arguments() {
    if (at_end_) return std::nullopt;
    return std::apply(
        [this](auto&... range) -> std::optional<Arguments> {
          at_end_ = !(range.next() && ...);
          if (at_end_) return std::nullopt;
          return std::optional<Arguments>(std::in_place, **range.position...);
        },
        ranges_);
  }

 private:
  // Whether all values can be counted before the first is copied.
  static constexpr bool countable =
      ((std::ranges::forward_range<Ranges> && std::ranges::sized_range<Ranges>)&&...);

  // A range, and where in it the value is that was taken last.
  template <class Range>
  struct Reader {
    explicit Reader(Range&& from) : range(std::forward<Range>(from)) {}

    // Goes on to the next value; false when there is none.
    bool next() {
      if (position) {
        ++*position;
      } else {
        position.emplace(std::ranges::begin(range));
      }
      return *position != std::ranges::end(range);
    }

    Range range;
    std::optional<std::ranges::iterator_t<Range>> position;
  };

  const std::size_t chunksize_;
  std::tuple<Reader<Ranges>...> ranges_;
  bool at_end_ = false;            // one of them was met by next_arguments()
  std::size_t left_ = 0;           // so many values were not copied yet, when they are countable
  typename Chunk::Memory memory_;  // of the chunks that are asked for at once
  Slot* free_ = nullptr;           // the first of its slots that belongs to none
};

}  // namespace conc::detail

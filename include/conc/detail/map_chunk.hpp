// MapChunk: some calls of a map that are one task.
#pragma once

#include <conc/config.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace conc::detail {

// The arguments of one call: the value alone when there is one.
template <class... Values>
struct MapArguments {
  using type = std::tuple<Values...>;
};
template <class Value>
struct MapArguments<Value> {
  using type = Value;
};

// How a result is kept: a reference as a pointer.
template <class Result>
struct MapStored {
  using type = Result;
};
template <class Result>
struct MapStored<Result&> {
  using type = Result*;
};
template <>
struct MapStored<void> {
  using type = std::monostate;
};

// The place of one call: it holds the arguments, then nothing, then the result.
template <class F, class Result, class... Values>
union MapSlot {
  using Arguments = typename MapArguments<Values...>::type;
  using Stored = typename MapStored<Result>::type;

  MapSlot() noexcept {}
  ~MapSlot() {}

  // Makes the call, and the result. The arguments must not be in here any more.
  void call(const F& f, Arguments& with) {
    const auto call = [&]() -> decltype(auto) {
      if constexpr (sizeof...(Values) == 1) {
        return std::invoke(f, std::move(with));
      } else {
        return std::apply(f, std::move(with));
      }
    };
    void* const place = this;
    if constexpr (std::is_void_v<Result>) {
      call();
      ::new (place) Stored();
    } else if constexpr (std::is_reference_v<Result>) {
      ::new (place) Stored(std::addressof(call()));
    } else {
      ::new (place) Stored(call());
    }
  }

  // One after the other. Not as the members by their names: so the compiler sees that both are at
  // one address, and can vectorize a loop over slots.
  [[nodiscard]] Arguments& arguments() noexcept { return *reinterpret_cast<Arguments*>(this); }
  [[nodiscard]] Stored& result() noexcept { return *reinterpret_cast<Stored*>(this); }

 private:
  Arguments arguments_;
  Stored result_;
};

// The result of a call that is a task of its own.
template <class F, class Result, class... Values>
class MapSingle {
 public:
  using Slot = MapSlot<F, Result, Values...>;

  // Makes the call, and throws what it throws.
  MapSingle(const F& f, typename Slot::Arguments& with) { slot_.call(f, with); }
  MapSingle(const MapSingle&) = delete;
  MapSingle& operator=(const MapSingle&) = delete;
  ~MapSingle() { std::destroy_at(std::addressof(slot_.result())); }

  [[nodiscard]] Slot* begin() noexcept { return &slot_; }
  [[nodiscard]] Slot* end() noexcept { return &slot_ + 1; }

 private:
  Slot slot_;
};

// The arguments of some calls in a row, which run() turns into results where they are: one piece of
// memory, and the processor has the line of the result in its cache. Several chunks may have their
// slots in the same memory. For one thread at a time.
template <class F, class Result, class... Values>
class MapChunk {
 public:
  using Slot = MapSlot<F, Result, Values...>;
  using Arguments = typename Slot::Arguments;
  using Memory = std::shared_ptr<Slot[]>;

  // Throws std::bad_alloc.
  static Memory allocate(std::size_t calls) { return Memory(new Slot[calls]); }

  // With copies of the values at the positions and behind them, for so many calls, one at least, in
  // the memory from `first` on; the positions are then at the last. Throws what copying throws.
  template <class... Positions>
  MapChunk(Memory memory, Slot* first, std::size_t calls, Positions&... positions)
      : memory_(std::move(memory)), first_(first) {
    // Of its own, so that the compiler may keep them in registers.
    std::tuple<Positions...> at(positions...);
    std::apply([&](auto&... position) { fill(calls, position...); }, at);
    std::tie(positions...) = std::move(at);
  }

  // With these arguments. Throws std::bad_alloc, and what moving them throws.
  explicit MapChunk(std::vector<Arguments> arguments)
      : memory_(allocate(arguments.size())), first_(memory_.get()) {
    auto position = std::make_move_iterator(arguments.begin());
    fill(arguments.size(), position);
  }

  MapChunk(MapChunk&& other) noexcept
      : memory_(std::move(other.memory_)),
        first_(other.first_),
        arguments_(std::exchange(other.arguments_, 0)),
        results_(std::exchange(other.results_, 0)),
        error_(std::exchange(other.error_, nullptr)) {}
  MapChunk& operator=(MapChunk&&) = delete;

  ~MapChunk() {
    destroy_arguments(first_, first_ + arguments_);
    for (std::size_t i = 0; i != results_; ++i) std::destroy_at(std::addressof(first_[i].result()));
  }

  // Makes the calls, up to one that throws: its exception is kept behind the results; or thrown
  // when it was the first.
  void run(const F& f) {
    Slot* slot = first_;
    Slot* const end = first_ + std::exchange(arguments_, 0);
    Slot* not_moved = slot;  // from here on there are arguments
    try {
      for (; slot != end; ++slot) {
        Arguments arguments(std::move(slot->arguments()));
        destroy_arguments(slot, slot + 1);
        not_moved = slot + 1;
        slot->call(f, arguments);
      }
    } catch (...) {
      destroy_arguments(not_moved, end);
      if (slot == first_) throw;
      error_ = std::current_exception();
    }
    results_ = static_cast<std::size_t>(slot - first_);
  }

  // The results, one at least, after run().
  [[nodiscard]] Slot* begin() noexcept { return first_; }
  [[nodiscard]] Slot* end() noexcept { return first_ + results_; }

  // What the call behind the last result threw, or null.
  [[nodiscard]] const std::exception_ptr& error() const noexcept { return error_; }

 private:
  template <class... Positions>
  void fill(std::size_t calls, Positions&... positions) {
    std::size_t i = 0;
    try {
      for (; i != calls - 1; ++i) {
        std::construct_at(std::addressof(first_[i].arguments()), *positions...);
        (static_cast<void>(++positions), ...);
      }
      std::construct_at(std::addressof(first_[i].arguments()), *positions...);
    } catch (...) {
      destroy_arguments(first_, first_ + i);
      throw;
    }
    arguments_ = calls;
  }

  static void destroy_arguments(Slot* from, Slot* to) noexcept {
    if constexpr (!std::is_trivially_destructible_v<Arguments>) {
      for (; from != to; ++from) std::destroy_at(std::addressof(from->arguments()));
    }
  }

  Memory memory_;
  Slot* first_;
  std::size_t arguments_ = 0;  // so many slots hold arguments, from the first on
  std::size_t results_ = 0;    // or results
  std::exception_ptr error_;
};

}  // namespace conc::detail

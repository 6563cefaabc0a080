// select: waiting for an item in any of several queues.
#pragma once

#include <conc/basic_queue.hpp>
#include <conc/detail/queue_core.hpp>
#include <conc/until.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <tuple>
#include <utility>

namespace conc {

namespace detail {

struct QueueAccess {
  template <class T, class Order>
  static QueueCore& core(BasicQueue<T, Order>& queue) noexcept {
    return queue.core();
  }

  // select(queues..., until), taken apart.
  template <class... Arguments, std::size_t... Is>
  static QueueVerdict select(std::tuple<Arguments&...> arguments, std::index_sequence<Is...>,
                             Until until, std::size_t& index) {
    const std::array<QueueCore*, sizeof...(Is)> cores{&core(std::get<Is>(arguments))...};
    std::array<QueueCore::Watcher, sizeof...(Is)> watchers;
    return QueueCore::select(cores, watchers, until, index);
  }

  template <class... Arguments>
  static QueueVerdict select(std::tuple<Arguments&...> arguments, Until otherwise,
                             std::size_t& index) {
    constexpr std::size_t last = sizeof...(Arguments) - 1;
    using Last = std::tuple_element_t<last, std::tuple<Arguments&...>>;
    if constexpr (std::convertible_to<Last, Until>) {
      return select(arguments, std::make_index_sequence<last>(), Until(std::get<last>(arguments)),
                    index);
    } else {
      return select(arguments, std::make_index_sequence<last + 1>(), otherwise, index);
    }
  }
};

}  // namespace detail

// select(queues..., until): waits until one of the queues, of any kinds and items, has an item, and
// returns its index in the argument list; the first of several. The item stays there, so another
// thread may get it before the caller does:
//
//   for (;;) switch (conc::select(orders, news)) {
//     case 0: if (auto order = orders.try_get()) serve(*order); break;
//     case 1: if (auto item = news.try_get()) read(*item); break;
//   }
//
// Blocks while all are empty; a queue that is shut down and empty no longer counts. `until`, the
// last argument, may be left out: as long as it takes. A time and a token together are written
// conc::Until{50ms, token} here.
// Throws ShutDown when all are shut down and empty; Empty or Stopped when `until` gave up;
// std::bad_alloc when it has to wait, at the thread's first contact with the library.
// Cost: one lock a queue, and four when it has to wait.
template <class T, class Order, class... Rest>
std::size_t select(BasicQueue<T, Order>& first, Rest&&... queues_and_until) {
  std::size_t index = 0;
  const detail::QueueVerdict verdict =
      detail::QueueAccess::select(std::tie(first, queues_and_until...), forever, index);
  if (verdict != detail::QueueVerdict::ready) detail::throw_from_select(verdict);
  return index;
}

// The same, but does not wait when `until` is left out, and returns nothing where select() throws.
template <class T, class Order, class... Rest>
[[nodiscard]] std::optional<std::size_t> try_select(BasicQueue<T, Order>& first,
                                                    Rest&&... queues_and_until) {
  std::size_t index = 0;
  const detail::QueueVerdict verdict =
      detail::QueueAccess::select(std::tie(first, queues_and_until...), at_once, index);
  if (verdict != detail::QueueVerdict::ready) return std::nullopt;
  return index;
}

}  // namespace conc

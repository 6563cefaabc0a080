// Gathering: waiting for many futures at once.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/future_state_base.hpp>
#include <conc/detail/ref.hpp>
#include <conc/detail/waiting.hpp>

#include <cstddef>
#include <optional>
#include <vector>

namespace conc::detail {

// Listens to a number of futures, and hands out their places in the order in which they get done;
// those that are done at the start come first, in the order given. For one thread at a time. A
// future must not be in it twice.
class CONC_EXPORT Gathering {
 public:
  // Takes over the references. Throws std::bad_alloc; it listens to none then.
  explicit Gathering(std::vector<Ref<FutureStateBase>> states);

  // What was moved from has none left.
  Gathering(Gathering&& other) noexcept;
  // Stops listening to what it had.
  Gathering& operator=(Gathering&& other) noexcept;

  // Stops listening. Blocks on nothing.
  ~Gathering();

  // How many have not been handed out.
  [[nodiscard]] std::size_t left() const noexcept;

  // The place of the next future that is done; without a value when `patience` came to its end
  // before. Blocks until then. There must be one left. Throws std::bad_alloc at the thread's first
  // contact with the library.
  [[nodiscard]] std::optional<std::size_t> next(Until until, Patience& patience);

  // See forget_sleeper().
  void forget(ThreadNode& node) noexcept;

  // Gives up the reference to a future that was handed out.
  Ref<FutureStateBase> release(std::size_t place) noexcept;

 private:
  struct Shared;
  Shared* shared_;
};

}  // namespace conc::detail

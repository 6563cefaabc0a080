#include "hazard.hpp"

#if defined(__linux__)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace conc::logging::detail {
namespace {

#if defined(__linux__) && defined(SYS_membarrier)
bool membarrier(int command) noexcept { return ::syscall(SYS_membarrier, command, 0U, 0) == 0; }

bool announce_barriers() noexcept { return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED); }

bool barrier_for_process() noexcept {
  // The child of a fork may have to announce them anew.
  return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) ||
         (announce_barriers() && membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED));
}
#else
bool announce_barriers() noexcept { return false; }

bool barrier_for_process() noexcept { return false; }
#endif

constinit thread_local bool ended = false;  // what has a destructor is gone

}  // namespace

constinit thread_local Hazard::Marks* Hazard::latest = nullptr;
constinit conc::detail::Atomic<Hazard::Payers> Hazard::payers{Payers::undecided};

PartList<Hazard::Marks>& Hazard::all() noexcept {
  static constinit PartList<Marks> list;
  return list;
}

// Gives back the thread's marks at its end. What it logs after that borrows some for each call.
struct Hazard::Owner {
  Owner() = default;
  ~Owner() {
    ended = true;
    for (Marks* marks = latest; marks != nullptr; marks = marks->before) marks->borrowed = true;
    give_back();
  }
};

// Whoever is first to have an answer decides, for good: a reader that does not pay finds no writer
// that thinks it did. Nobody waits for another thread, which the child of a fork may not have.
bool Hazard::writers_pay() noexcept {
  Payers who = payers.load(std::memory_order_acquire);
  if (who == Payers::undecided) {
    const Payers mine = announce_barriers() ? Payers::writers : Payers::readers;
    if (payers.compare_exchange_strong(who, mine, std::memory_order_acq_rel)) who = mine;
  }
  return who == Payers::writers;
}

Hazard::Marks* Hazard::more() {
  writers_pay();
  Marks* const marks = all().take();
  marks->borrowed = ended || latest != nullptr;
  marks->before = latest;
  latest = marks;
  if (!ended) {
    thread_local const Owner owner;
  }
  return marks;
}

void Hazard::give_back() noexcept {
  while (latest != nullptr && latest->borrowed && latest->used == 0) {
    Marks* const marks = latest;
    latest = marks->before;
    marks->give_back();
  }
}

bool Hazard::is_marked(const void* object) noexcept {
  for (const Marks* one = all().first(); one != nullptr; one = one->next()) {
    for (const auto& place : one->objects) {
      if (place.load(std::memory_order_seq_cst) == object) return true;
    }
  }
  return false;
}

bool Hazard::barrier_for_all() noexcept { return !writers_pay() || barrier_for_process(); }

}  // namespace conc::logging::detail

// Hazard: says what the calling thread is reading, to those who would like to free it.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/machine.hpp>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "part_list.hpp"

namespace conc::logging::detail {

// A hazard pointer. A reader marks what it is about to read, and then makes sure that it can still
// be found where it came from. A writer takes it from there, passes barrier_for_all(), and frees it
// as soon as no thread has it marked:
//
//   reader   mark(object);   is the object still to be found?   then it is safe until unmark()
//   writer   the object is not to be found any more;   barrier_for_all();   is_marked(object)?
//
// Each of the two writes first and looks then, so at least one of them sees the other, if neither
// looks before its write is seen by all. A reader that would have to wait for that pays an atomic
// read-modify-write. It need not: the writer has the system make all threads of the process wait
// instead, wherever they are (membarrier() of Linux), which costs microseconds, and writers are
// rare. Where the system cannot do so, the reader pays.
//
// The same holds at the end: a reader that unmarks the object and then still finds it where it came
// from leaves it to a writer, which comes later and sees it unmarked. A reader that does not find
// it any more looks whether it is the last one.
//
// A thread may have several, begun and ended in any order.
class Hazard {
 public:
  // Cannot mark anything.
  explicit Hazard(std::nullptr_t) noexcept : marks_(nullptr) {}

  // Throws std::bad_alloc, at the thread's first ones.
  Hazard() : marks_(latest) {
    if (marks_ == nullptr || marks_->used == all_used) [[unlikely]]
      marks_ = more();
    index_ = std::countr_one(marks_->used);
    marks_->used |= 1U << index_;
  }
  Hazard(Hazard&& other) noexcept : marks_(other.marks_), index_(other.index_) {
    other.marks_ = nullptr;
  }
  Hazard& operator=(Hazard&&) = delete;
  // By the thread that made it. Nothing may be marked.
  ~Hazard() {
    if (marks_ == nullptr) return;
    marks_->used &= ~(1U << index_);
    if (marks_->borrowed) [[unlikely]]
      give_back();
  }

  void mark(const void* object) noexcept { store(object); }
  void unmark() noexcept { store(nullptr); }

  // Whether any thread has it marked.
  // Cost: visits as many threads as ever read at once.
  [[nodiscard]] static bool is_marked(const void* object) noexcept;

  // Returns when what any thread has written before is seen by all, and what this thread has
  // written is seen by what any thread reads after. False when the system does not do that any
  // more.
  [[nodiscard]] static bool barrier_for_all() noexcept;

 private:
  static constexpr int room = 8;
  static constexpr unsigned all_used = (1U << room) - 1;

  // Of one thread at a time, to be taken again when it is gone; others read `objects`. A cache line
  // apart from those of other threads, and from the line that a processor fetches along.
  struct alignas(128) Marks : PartList<Marks>::Link {
    conc::detail::Atomic<const void*> objects[room] = {};
    unsigned used = 0;      // a bit for each of them
    bool borrowed = false;  // to be given back as soon as none is used
    Marks* before = nullptr;
  };

  // Those of the calling thread, which end with the ones that they point to as `before`.
  static constinit thread_local Marks* latest;

  // Who pays.
  //
  //   undecided   the reader
  //   readers     the reader
  //   writers     the writer. Never before the system has agreed to it
  enum class Payers : std::uint8_t { undecided, readers, writers };
  static constinit conc::detail::Atomic<Payers> payers;

  struct Owner;
  static PartList<Marks>& all() noexcept;
  static bool writers_pay() noexcept;
  CONC_COLD static Marks* more();
  CONC_COLD static void give_back() noexcept;

  void store(const void* object) noexcept {
    auto& place = marks_->objects[index_];
    if (payers.load(std::memory_order_relaxed) == Payers::writers) {
      // Release: the object is freed after what was read of it.
      place.store(object, std::memory_order_release);
      // The compiler does not look before the write either.
      std::atomic_signal_fence(std::memory_order_seq_cst);
    } else {
      place.exchange(object, std::memory_order_seq_cst);
    }
  }

  Marks* marks_;
  int index_ = 0;
};

}  // namespace conc::logging::detail

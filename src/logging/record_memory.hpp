// Memory for records that go from thread to thread.
#pragma once

#include <cstddef>

namespace conc::logging::detail {

// Memory for one record, aligned for anything. Most records are made by one thread and destroyed by
// another, that of a QueueListener for instance, which takes the usual allocators several times as
// long as what one thread does by itself. Here each thread has some blocks at hand, and passes what
// it has too many of on in bundles to threads that have none.
//
// A block has room for a record of moderate size. A larger one has memory of its own.
//
// Throws std::bad_alloc.
// Cost: no lock and no allocation but once in many calls.
[[nodiscard]] void* take_record_memory(std::size_t size);

// By any thread.
void give_record_memory(void* memory) noexcept;

}  // namespace conc::logging::detail

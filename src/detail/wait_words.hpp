// How to say what a thread waits for, and whom.
#pragma once

#include <conc/detail/waiting.hpp>

#include <string>
#include <string_view>

namespace conc::detail {

// "Lock" and "acquire": so that a thread waits to `action` a `type`.
struct WaitWords {
  const char* type;
  const char* action;
};
[[nodiscard]] WaitWords words_of(WaitKind kind) noexcept;

// `waits to acquire Lock "gun"`. An object without a name is called by its address, a thread not at
// all: it is the holder. The object must be there, as for holder_of().
// Throws std::bad_alloc.
[[nodiscard]] std::string describe(const WaitReason& reason);

// What stands between an object of that type and its holder: "held by ", "run by " or "".
[[nodiscard]] const char* held_by(std::string_view type) noexcept;

// `"Jack" (2)`. Throws std::bad_alloc.
[[nodiscard]] std::string quoted(std::string_view name, ThreadId id);

// The thread that holds what is waited for, runs it, or has to end first; 0 when nobody does, or
// that is not known. The object must be there: see ThreadNode::asleep().
[[nodiscard]] ThreadId holder_of(const WaitReason& reason) noexcept;

// Whether that may be known for a wait of this kind.
[[nodiscard]] bool may_have_holder(WaitKind kind) noexcept;

// Whether it is a worker that waits for something to do.
[[nodiscard]] bool is_idle(WaitKind kind) noexcept;

}  // namespace conc::detail

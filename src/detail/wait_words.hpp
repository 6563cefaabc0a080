// How to say what a thread waits for, and whom.
#pragma once

#include <conc/detail/waiting.hpp>

namespace conc::detail {

// "Lock" and "acquire": so that a thread waits to `action` a `type`.
struct WaitWords {
  const char* type;
  const char* action;
};
[[nodiscard]] WaitWords words_of(WaitKind kind) noexcept;

// The thread that holds what is waited for, runs it, or has to end first; 0 when nobody does, or
// that is not known. The object must be there: see ThreadNode::asleep().
[[nodiscard]] ThreadId holder_of(const WaitReason& reason) noexcept;

// Whether that may be known for a wait of this kind.
[[nodiscard]] bool may_have_holder(WaitKind kind) noexcept;

}  // namespace conc::detail

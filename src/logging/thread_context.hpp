// The fields of the calling thread's contexts.
#pragma once

#include <conc/logging/field.hpp>

#include <span>

namespace conc::logging::detail {

// Stays as it is until the thread makes or destroys a Context, or comes to the end of a task.
[[nodiscard]] std::span<const Field> thread_context() noexcept;

}  // namespace conc::logging::detail

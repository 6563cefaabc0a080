// Where the exceptions go that leave a thread's function.
#pragma once

#include <exception>

namespace conc::detail {

// Hands it to the program's hook, or else reports it on conc.thread. Called in the thread, whose
// name `thread` is; never throws.
void exception_escaped(const char* thread, const std::exception_ptr& exception) noexcept;

}  // namespace conc::detail

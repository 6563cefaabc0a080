// Where the exceptions go that leave a thread's function.
#pragma once

#include <exception>
#include <string>

namespace conc::detail {

// Hands it to the program's hook, or else reports it on conc.thread with the sentence that type,
// name and what make, as in message(). Called in the thread; never throws.
void exception_escaped(const char* type, const std::string& name, const char* what,
                       const std::exception_ptr& exception) noexcept;

}  // namespace conc::detail

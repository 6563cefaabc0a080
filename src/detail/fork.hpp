// What the library's own mutexes need when the process forks.
//
// What all threads share is made when the library is loaded, before there are threads: in the child
// of a fork that comes while another thread makes a local static, whoever asks for that waits for
// ever. They remain local statics all the same, since constructors of globals may come earlier.
#pragma once

#include <conc/detail/machine.hpp>

namespace conc::detail {

// Has the mutex held while the process forks, so that what it guards is whole in the child, and
// free there afterwards. `in_child` is then called there, by the only thread, before fork()
// returns: to forget the threads that are gone. The mutex must never be destroyed; no thread may
// fork while it holds it, or take another such mutex while it holds one. A second call for the same
// mutex does nothing.
// Throws std::bad_alloc.
void guard_over_fork(Mutex& mutex, void (*in_child)() noexcept = nullptr);

}  // namespace conc::detail

// What must end before the process does: threads that are not daemons, timers, pools.
#pragma once

namespace conc::detail {

// Waits for all work of one kind that the process may not end without. Returns whether there was
// any. Called by the thread that exits, with no lock held; other threads run meanwhile and may
// start new work.
using ExitWait = bool (*)() noexcept;

// Has `wait` called once the program's main function has returned or std::exit was called: in turn
// with the others, in the order in which they were registered, until none of them has found
// anything to wait for. Objects with static storage that were made before the first registration of
// the process are destroyed after that, those made later before it. A second registration of the
// same function does nothing. Never blocks.
// Python: threading._shutdown
void wait_at_exit(ExitWait wait) noexcept;

}  // namespace conc::detail

#include <conc/errors.hpp>

namespace conc {

// Out of line, so that each type has its vtable and type information in one place and can be caught
// across libraries.
Error::~Error() = default;
TimeoutError::~TimeoutError() = default;
Stopped::~Stopped() = default;
Empty::~Empty() = default;
Full::~Full() = default;
ShutDown::~ShutDown() = default;
BrokenBarrier::~BrokenBarrier() = default;
CancelledError::~CancelledError() = default;
BrokenPromise::~BrokenPromise() = default;
BrokenExecutor::~BrokenExecutor() = default;
DeadlockError::~DeadlockError() = default;
UsageError::~UsageError() = default;
InvalidStateError::~InvalidStateError() = default;

}  // namespace conc

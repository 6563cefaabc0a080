// What conc throws.
//
// Two families, told apart by whose fault it is. An Error says that the world did not let the call
// succeed: the time was up, the queue was shut down. A program catches it and goes on. A UsageError
// says that the program is wrong: a lock released while it was free, a thread started twice. A
// program mends it. Bad arguments are std::invalid_argument.
//
// Every message is a full sentence that names the object, when it has a name, and says what was
// expected. Whatever is thrown, the object is as it was before the call unless the call's own
// comment says otherwise.
#pragma once

#include <conc/config.hpp>

#include <stdexcept>

namespace conc {

// The world did not let the call succeed.
class CONC_EXPORT Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  ~Error() override;
};

// The time given in Until was up before there was a result.
// Python: TimeoutError.
class CONC_EXPORT TimeoutError : public Error {
 public:
  using Error::Error;
  ~TimeoutError() override;
};

// The std::stop_token given in Until was triggered before there was a result.
class CONC_EXPORT Stopped : public Error {
 public:
  using Error::Error;
  ~Stopped() override;
};

// The queue had no item in time.
// Python: queue.Empty.
class CONC_EXPORT Empty : public Error {
 public:
  using Error::Error;
  ~Empty() override;
};

// The queue had no room in time.
// Python: queue.Full.
class CONC_EXPORT Full : public Error {
 public:
  using Error::Error;
  ~Full() override;
};

// The queue takes no more items, or has no more to give, since it was shut down.
// Python: queue.ShutDown.
class CONC_EXPORT ShutDown : public Error {
 public:
  using Error::Error;
  ~ShutDown() override;
};

// The barrier was aborted or reset, or another party gave up waiting.
// Python: threading.BrokenBarrierError.
class CONC_EXPORT BrokenBarrier : public Error {
 public:
  using Error::Error;
  ~BrokenBarrier() override;
};

// The result will never come, since the future was cancelled.
// Python: concurrent.futures.CancelledError.
class CONC_EXPORT CancelledError : public Error {
 public:
  using Error::Error;
  ~CancelledError() override;
};

// The result will never come, since its Promise was destroyed without one.
class CONC_EXPORT BrokenPromise : public Error {
 public:
  using Error::Error;
  ~BrokenPromise() override;
};

// The executor lost its workers or its initializer failed.
// Python: concurrent.futures.BrokenExecutor.
class CONC_EXPORT BrokenExecutor : public Error {
 public:
  using Error::Error;
  ~BrokenExecutor() override;
};

// Waiting would close a cycle of threads that wait for each other. Thrown if on_deadlock() asks for
// it.
class CONC_EXPORT DeadlockError : public Error {
 public:
  using Error::Error;
  ~DeadlockError() override;
};

// The program broke a rule of the object: released a free lock, started a thread twice, submitted
// after shutdown.
// Python: RuntimeError (ValueError for counts).
class CONC_EXPORT UsageError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
  ~UsageError() override;
};

// A result was set on a future that already has one.
// Python: concurrent.futures.InvalidStateError.
class CONC_EXPORT InvalidStateError : public UsageError {
 public:
  using UsageError::UsageError;
  ~InvalidStateError() override;
};

}  // namespace conc

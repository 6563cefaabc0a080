// Thread: a function that runs beside the others.
#pragma once

#include <conc/config.hpp>
#include <conc/excepthook.hpp>
#include <conc/thread_info.hpp>
#include <conc/until.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace conc {

namespace detail {

// What a thread runs: a function and its arguments, behind one pointer.
class ThreadBody {
 public:
  virtual ~ThreadBody() = default;
  virtual void run(const std::stop_token& token) = 0;
};

template <class F, class... Args>
class ThreadCall final : public ThreadBody {
 public:
  template <class... Given>
  explicit ThreadCall(Given&&... given) : call_(std::forward<Given>(given)...) {}
  ~ThreadCall() noexcept override = default;

  void run(const std::stop_token& token) override {
    std::apply(
        [&](F& f, Args&... args) {
          if constexpr (std::invocable<F, std::stop_token, Args...>) {
            std::invoke(std::move(f), std::stop_token(token), std::move(args)...);
          } else {
            std::invoke(std::move(f), std::move(args)...);
          }
        },
        call_);
  }

 private:
  std::tuple<F, Args...> call_;
};

class ThreadState;

}  // namespace detail

struct ThreadOptions {
  std::string name = {};            // empty: Thread-N, in the order in which threads are made
  std::optional<bool> daemon = {};  // none: as the Thread that makes it, or false
};

// A thread of control with a name. Making it runs nothing; start() does.
//
//   conc::Thread worker({.name = "worker"}, [&](std::stop_token stop) {
//     while (auto job = queue.try_get(stop)) run(*job);
//   });
//   worker.start();
//
// The function and its arguments are copied or moved into the thread, as std::jthread does it, and
// destroyed when the function has returned. A function that takes a std::stop_token before its
// other parameters is given the thread's own. An exception that leaves the function ends the thread
// and is reported on conc.thread; it never ends the program. pthread_exit() and pthread_cancel() are
// not for it: they end the program.
//
// A Thread may be moved: the object is a handle, and a moved-from one may only be destroyed or
// assigned to. Several threads may call the same object at once, but for start() and the move. 16
// bytes.
//
// Lifetime: the destructor of a thread that was started asks it to stop and waits for it, unless it
// is a daemon: that is left running, and must not use what may go before the process ends. When
// main has returned, or std::exit was called, threads whose objects are still there are waited for,
// those included that others start meanwhile, but not asked to stop: the program does that before,
// where they end only then. Daemons are cut off when the process ends. Objects with static storage
// that were made before the first thread was started go after that, later ones before.
//
// fork(): in the child, the parent's threads have ended but for the one that forked: nobody waits
// for them, and what they held is never released or destroyed. A wait in which one of them slept has
// given up there, as if its time had run out, so a Barrier is broken. What one of them was at work
// on, awake, may be half changed: the child must neither use nor destroy it, and so ends with
// _exit() or runs another program, unless it is sure of its globals.
//
// Python: threading.Thread. Unlike there, a thread whose object goes is waited for, and it can be
// asked to stop; and what is made in a thread that is no Thread, a std::thread or a worker of a
// pool, is no daemon unless it says so.
class Thread {
 public:
  // A thread that will run f(args...).
  // Throws std::bad_alloc and what copying f and args throws.
  // Python: Thread(target=f, args=args)
  template <class F, class... Args>
  requires(!std::same_as<std::remove_cvref_t<F>, Thread> &&
           !std::same_as<std::remove_cvref_t<F>, ThreadOptions> &&
           (std::invocable<std::decay_t<F>, std::decay_t<Args>...> ||
            std::invocable<std::decay_t<F>, std::stop_token,
                           std::decay_t<Args>...>)) explicit Thread(F&& f, Args&&... args)
      : Thread(ThreadOptions(), std::forward<F>(f), std::forward<Args>(args)...) {}

  // The same with a name and the daemon flag.
  // Python: Thread(target=f, args=args, name=..., daemon=...)
  template <class F, class... Args>
  requires(std::invocable<std::decay_t<F>, std::decay_t<Args>...> ||
           std::invocable<std::decay_t<F>, std::stop_token,
                          std::decay_t<Args>...>) explicit Thread(ThreadOptions options, F&& f,
                                                                  Args&&... args)
      : state_(
            make_state(std::move(options),
                       std::make_unique<detail::ThreadCall<std::decay_t<F>, std::decay_t<Args>...>>(
                           std::forward<F>(f), std::forward<Args>(args)...))) {}

  // Asks a started non-daemon thread to stop, and waits for it. Blocks as join() does; in the
  // thread itself it does not wait.
  CONC_EXPORT ~Thread();

  Thread(Thread&& other) noexcept = default;
  CONC_EXPORT Thread& operator=(Thread&& other) noexcept;  // first does as the destructor

  // Starts it, and returns when it runs.
  // Throws UsageError when it was started before; std::system_error when the operating system
  // refuses a thread, and std::bad_alloc: it is then as before and may be started again.
  // Synchronizes: what was done before is visible to the thread.
  // Cost: a thread of the operating system.
  // Python: start()
  CONC_EXPORT void start();

  // Waits until it has ended and its thread_local objects are destroyed. Any thread may, as often
  // as it likes. Blocks until then.
  // Throws UsageError in the thread itself, and before start(); DeadlockError if on_deadlock() asks
  // for it.
  // Synchronizes: what the thread did is visible to the caller.
  // Python: join()
  void join() { static_cast<void>(join(forever)); }

  // The same, but gives up as `until` says; false then. With a limit it does not wait for the
  // destruction of thread_local objects, which knows none: that may still go on when this returns
  // true.
  // Python: join(timeout), is_alive()
  [[nodiscard]] CONC_EXPORT bool join(Until until);

  // Whether it was started and has not ended.
  // Python: is_alive()
  [[nodiscard]] CONC_EXPORT bool is_alive() const;

  // Its name. The operating system shows it too, as far as it has room (Linux: 15 bytes).
  // Python: name
  [[nodiscard]] CONC_EXPORT std::string name() const;
  CONC_EXPORT void set_name(std::string name);

  // Whether the process may end without it. To be set before start(): UsageError afterwards.
  // Python: daemon
  [[nodiscard]] CONC_EXPORT bool daemon() const;
  CONC_EXPORT void set_daemon(bool daemon);

  // The number that conc gave it, which no other thread of the process ever has, and the operating
  // system's, which may be used again after it ended. None before start().
  // Python: ident, native_id
  [[nodiscard]] CONC_EXPORT std::optional<std::uint64_t> ident() const;
  [[nodiscard]] CONC_EXPORT std::optional<std::int64_t> native_id() const;

  // Asks it to stop: the token that its function was given, or that stop_token() returns, is
  // triggered. False when that was done before.
  CONC_EXPORT bool request_stop();
  [[nodiscard]] CONC_EXPORT std::stop_token stop_token() const;

 private:
  CONC_EXPORT static std::shared_ptr<detail::ThreadState> make_state(
      ThreadOptions options, std::unique_ptr<detail::ThreadBody> body);
  detail::ThreadState& state() const;
  void finish() noexcept;

  std::shared_ptr<detail::ThreadState> state_;
};

}  // namespace conc

// ThreadOf: a thread whose function is the run() of an object.
#pragma once

#include <conc/thread.hpp>

#include <concepts>
#include <memory>
#include <stop_token>
#include <utility>

namespace conc {

// What a Python program writes as a subclass of Thread that overrides run():
//
//   class Countdown {                          // class Countdown(Thread):
//    public:
//     explicit Countdown(int from) : left_(from) {}
//     void run(std::stop_token stop) { while (left_ > 0 && !stop.stop_requested()) --left_; }
//     int left() const { return left_; }
//    private:
//     std::atomic<int> left_;
//   };
//   conc::ThreadOf<Countdown> thread({.name = "countdown"}, 10);
//   thread.start();
//   thread.join();
//   thread->left();
//
// T need not be derived from anything; run() may be virtual, and take the thread's std::stop_token
// or nothing. The object is whole before start() can be called, and belongs to the running thread
// as well as to the handle: so run() never meets an object that is not yet, or no longer, there.
// That is why a Thread has no virtual run() of its own: a base class would start a derived part
// that is not made yet, and join one that is destroyed already.
//
// All else is Thread's, which it is derived from: the destructor asks a started thread to stop and
// waits for it, unless it is a daemon.
//
// Python: class T(threading.Thread)
template <class T>
requires requires(T& object, std::stop_token token) {
  requires(
      requires { object.run(token); } || requires { object.run(); });
}
class ThreadOf : public Thread {
 public:
  // A thread for T(args...).
  // Throws std::bad_alloc and what making the T throws.
  template <class... Args>
  requires std::constructible_from<T, Args...>
  explicit ThreadOf(ThreadOptions options, Args&&... args)
      : ThreadOf(std::move(options), Made{std::make_shared<T>(std::forward<Args>(args)...)}) {}

  // The object. Shared with the running thread: what both use must be made for that.
  [[nodiscard]] T& operator*() const noexcept { return *object_; }
  [[nodiscard]] T* operator->() const noexcept { return object_.get(); }

 private:
  struct Made {
    std::shared_ptr<T> object;
  };

  ThreadOf(ThreadOptions options, Made made)
      : Thread(std::move(options),
               [object = made.object](const std::stop_token& token) {
                 if constexpr (requires { object->run(token); }) {
                   object->run(token);
                 } else {
                   object->run();
                 }
               }),
        object_(std::move(made.object)) {}

  std::shared_ptr<T> object_;
};

}  // namespace conc

#include <conc/event.hpp>
#include <conc/thread_of.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

namespace {

using conc::Event;
using conc::ThreadOf;

class Countdown {
 public:
  explicit Countdown(int from) : left_(from) {}
  void run() {
    while (left_ > 0) --left_;
  }
  int left() const { return left_; }

 private:
  std::atomic<int> left_;
};

TEST(ThreadOf, RunsTheObjectWhenItIsStarted) {
  ThreadOf<Countdown> thread({.name = "countdown"}, 10);
  EXPECT_EQ(thread.name(), "countdown");
  EXPECT_EQ(thread->left(), 10) << "nothing runs before start()";
  thread.start();
  thread.join();
  EXPECT_EQ(thread->left(), 0);
  EXPECT_EQ((*thread).left(), 0);
}

// A run() that is virtual, as in a course on Python.
struct Shape {
  virtual ~Shape() = default;
  virtual void run() = 0;
  std::string ran;
};
struct Circle final : Shape {
  void run() override { ran = "circle"; }
};

TEST(ThreadOf, CallsAnOverriddenRun) {
  ThreadOf<Circle> thread({});
  thread.start();
  thread.join();
  EXPECT_EQ(thread->ran, "circle");
}

struct Stoppable {
  Event running;
  std::atomic<bool>* destroyed;
  explicit Stoppable(std::atomic<bool>* flag) : destroyed(flag) {}
  ~Stoppable() { *destroyed = true; }
  void run(std::stop_token stop) {
    running.set();
    Event never;
    EXPECT_FALSE(never.wait(stop));
    EXPECT_FALSE(*destroyed) << "the object is whole as long as it runs";
  }
};

TEST(ThreadOf, TheDestructorStopsItBeforeTheObjectGoes) {
  for (int i = 0; i < 200; ++i) {
    std::atomic<bool> destroyed{false};
    {
      ThreadOf<Stoppable> thread({}, &destroyed);
      thread.start();
      if (i % 2 == 0) thread->running.wait();
    }
    EXPECT_TRUE(destroyed);
  }
}

struct Daemon {
  std::shared_ptr<Event> go;
  std::shared_ptr<Event> ended;
  std::string text = "still there";
  ~Daemon() { ended->set(); }
  void run() {
    go->wait();
    EXPECT_EQ(text, "still there");
  }
};

TEST(ThreadOf, ADaemonKeepsTheObjectWhenItsHandleGoes) {
  auto go = std::make_shared<Event>();
  auto ended = std::make_shared<Event>();
  {
    ThreadOf<Daemon> thread({.daemon = true}, Daemon{go, std::make_shared<Event>()});
    thread->ended = ended;
    thread.start();
  }
  EXPECT_FALSE(ended->is_set());
  go->set();
  ended->wait();
}

TEST(ThreadOf, Moves) {
  ThreadOf<Countdown> thread({}, 3);
  ThreadOf<Countdown> moved = std::move(thread);
  moved.start();
  moved.join();
  EXPECT_EQ(moved->left(), 0);
}

}  // namespace

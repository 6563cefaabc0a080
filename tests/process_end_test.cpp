// What happens when a process with threads ends, or forks. Each scenario runs in a process of its
// own, many times over.

#include <conc/detail/job.hpp>
#include <conc/diagnostics.hpp>
#include <conc/errors.hpp>
#include <conc/event.hpp>
#include <conc/excepthook.hpp>
#include <conc/local.hpp>
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>
#include <conc/queue.hpp>
#include <conc/thread.hpp>
#include <conc/thread_info.hpp>
#include <conc/timer.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <new>
#include <semaphore>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "allocations.hpp"
#include "asleep.hpp"
#include "child.hpp"
#include "eventually.hpp"
#include "sanitizers.hpp"

namespace {

using namespace std::chrono_literals;
using conc::Event;
using conc::Thread;
using conc::test::ChildEnd;
using conc::test::run_child;

void say(const char* line) {
  static_cast<void>(!::write(1, line, std::char_traits<char>::length(line)));
}

// ---- The scenarios: what the child's main() does, returning its exit status.

// A thread that nobody joined, and whose object nobody destroys, has work left when main returns.
int unjoined() {
  static Event main_is_over;
  static struct AtEnd {
    ~AtEnd() { say("globals;"); }  // made before the first thread, so destroyed after the last
  } at_end;
  static_cast<void>(at_end);
  static auto* const thread = new Thread([] {
    main_is_over.wait();
    Event never;
    static_cast<void>(never.wait(2ms));
    say("thread;");
  });
  thread->start();
  say("main;");
  main_is_over.set();
  return 3;
}

// A thread that was joined with a limit still has its thread_local objects when main returns.
int joined_with_a_limit() {
  static Event main_is_over;
  static struct AtEnd {
    ~AtEnd() { say("globals;"); }
  } at_end;
  static_cast<void>(at_end);
  struct AtThreadEnd {
    ~AtThreadEnd() {
      static_cast<void>(main_is_over.wait(5s));
      say("thread's own;");
    }
  };
  static auto* const thread = new Thread([] {
    thread_local AtThreadEnd own;
    static_cast<void>(&own);
  });
  thread->start();
  if (!thread->join(1h)) return 1;
  say("main;");
  main_is_over.set();
  return 3;
}

// A thread that is waited for at exit starts another one.
int started_meanwhile() {
  static auto* const first = new Thread([] {
    Event never;
    static_cast<void>(never.wait(5ms));
    static auto* const second = new Thread([] {
      Event never_either;
      static_cast<void>(never_either.wait(5ms));
      say("second;");
    });
    second->start();
    say("first;");
  });
  first->start();
  return 0;
}

int by_exit_in_a_thread() {
  static auto* const other = new Thread([] {
    Event never;
    static_cast<void>(never.wait(5ms));
    say("other;");
  });
  other->start();
  Thread leaving([] { std::exit(4); });
  leaving.start();
  leaving.join();
  return 0;
}

// Daemons that use all of the library while the globals go.
int daemons_run_on() {
  static conc::Queue<int> queue(4);
  static conc::Lock lock("busy");
  static Event running;
  for (int i = 0; i < 4; ++i) {
    Thread daemon({.daemon = true}, [i] {
      auto local = new conc::Local<int>();  // NOLINT: lives as long as the process
      for (;;) {
        running.set();
        static_cast<void>(conc::current_thread());
        ++local->get();
        lock.acquire();
        lock.release();
        if (i % 2 == 0) {
          static_cast<void>(queue.try_put(int{i}));
        } else {
          static_cast<void>(queue.try_get(100us));
        }
        Thread inner([] {});
        inner.start();
      }
    });
    daemon.start();
  }
  running.wait();
  return 5;
}

// The object of a thread goes in the thread itself.
int detached() {
  static auto* const thread = new std::unique_ptr<Thread>;
  static auto* const go = new Event;
  *thread = std::make_unique<Thread>([] {
    go->wait();
    thread->reset();
    Event never;
    static_cast<void>(never.wait(5ms));
    say("done;");
  });
  (*thread)->start();
  go->set();
  return 0;
}

// The operating system refuses a thread, because its stack would be larger than all memory.
int refused() {
#if defined(__GLIBC__)
  const auto set_stack_size = [](std::size_t size) {
    ::pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setstacksize(&attributes, size);
    ::pthread_setattr_default_np(&attributes);
    ::pthread_attr_destroy(&attributes);
  };
  const std::size_t before = conc::active_count();
  Thread thread({.name = "w1"}, [] { say("ran;"); });
  set_stack_size(std::size_t{1} << 46);
  for (int i = 0; i < 3; ++i) {
    try {
      thread.start();
      return 1;
    } catch (const std::system_error&) {
      const bool as_before = !thread.is_alive() && !thread.ident() && thread.name() == "w1" &&
                             conc::active_count() == before;
      thread.set_daemon(i % 2 == 0);  // allowed before the start only
      if (!as_before) return 2;
    }
  }
  thread.set_daemon(false);
  set_stack_size(std::size_t{1} << 20);
  thread.start();
  thread.join();
#else
  say("ran;");
#endif
  return 0;
}

// A thread that conc has not met starts one, with memory for more and more of what that takes.
int started_without_memory() {
  // What only the first one takes is there, and no record that a thread has left.
  Event go;
  Thread first([&go] { go.wait(); });
  first.start();
  std::string ran;
  // The thread copies its name first, so it is late, and start() has to wait for it.
  Thread thread({.name = std::string(std::size_t{1} << 21, 'w')}, [&ran] { ran += "ran;"; });
  bool started = false;
  int failures = 0;
  for (std::int64_t n = 0; !started; ++n) {
    std::thread([&] {
      conc::test::allocations_left = n;
      try {
        thread.start();
        started = true;
      } catch (const std::bad_alloc&) {
      }
      conc::test::allocations_left = -1;
    }).join();
    if (!started) {
      ++failures;
      if (thread.is_alive() || thread.ident()) std::_Exit(1);
    }
  }
  thread.join();
  go.set();
  return ran == "ran;" && failures != 0 ? 0 : 2;
}

// A thread finds memory for more and more of what it takes to begin.
int begun_without_memory() {
  const std::size_t before = conc::active_count();
  std::string ran;
  Thread thread({.name = "a name that takes memory to copy"}, [&ran] { ran += "ran;"; });
  int failures = 0;
  for (bool started = false; !started;) {
    conc::test::first_allocations_left = failures;
    try {
      thread.start();
      started = true;
    } catch (const std::bad_alloc&) {
      ++failures;
    }
    conc::test::first_allocations_left = -1;
    if (started) break;
    if (thread.is_alive() || thread.ident() || conc::active_count() != before) return 1;
    try {
      thread.join();
      return 2;
    } catch (const conc::UsageError&) {
      // It is not started.
    }
    thread.set_daemon(failures % 2 == 0);  // allowed before the start only
  }
  thread.join();
  return ran == "ran;" && failures > 1 ? 0 : 3;
}

// A thread is given a name at each place where it allocates as it begins.
int renamed_as_it_begins() {
  static Thread* beginning = nullptr;
  static bool renamed = true;
  Event go;
  std::vector<std::unique_ptr<Thread>> threads;  // which run on, so each takes memory of its own
  int times = 0;
  bool good = true;
  for (; renamed; ++times) {
    std::string own_name;
    Event seen;
    threads.push_back(std::make_unique<Thread>(conc::ThreadOptions{.name = "old"}, [&] {
      own_name = conc::current_thread().name;
      seen.set();
      go.wait();
    }));
    beginning = threads.back().get();
    renamed = false;
    conc::test::at_that_first_allocation = [] {
      // By another one, since this thread may hold a lock that comes after the one on the name.
      std::thread([] {
        if (beginning->ident()) return;
        beginning->set_name("new");
        renamed = true;
      }).join();
      return true;
    };
    conc::test::first_allocations_left = times;
    beginning->start();
    conc::test::first_allocations_left = -1;
    seen.wait();
    const char* const name = renamed ? "new" : "old";
    good = good && beginning->name() == name && own_name == name;
  }
  go.set();
  return good && times > 1 ? 0 : 1;
}

// A thread that conc has not met destroys a Thread, with no memory for what it takes to be met.
int destroyed_without_memory() {
  auto thread = std::make_unique<Thread>([](std::stop_token stop) {
    Event never;
    static_cast<void>(never.wait(stop));
    say("stopped;");
  });
  thread->start();
  std::thread([&] {
    conc::test::allocations_left = 0;
    thread.reset();
    conc::test::allocations_left = -1;
  }).join();
  say("gone;");
  return 0;
}

int waits_too_long() {
  conc::Lock lock("fork");
  lock.acquire();
  Thread thread({.name = "patient"}, [&lock] {
    if (lock.acquire(2s)) lock.release();
  });
  thread.start();
  thread.join();
  return 0;
}

// Sends the process a signal, and waits until a thread has taken it.
bool taken(int signal) {
  ::kill(::getpid(), signal);
  return conc::test::eventually([signal] {
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, signal) == 0;
  });
}

int dump_at_signal() {
  conc::dump_on_signal(SIGQUIT);
  conc::dump_on_signal(SIGQUIT);
  conc::Lock lock("fork");
  lock.acquire();
  Thread thread({.name = "patient"}, [&] {
    lock.acquire();
    lock.release();
  });
  thread.start();
  if (!conc::test::eventually([] { return conc::test::asleep("patient"); })) return 1;
  // The dump is written by another thread, and the process may end only after that: when that
  // thread takes a second signal, it has written what the first one asked for.
  const bool written = taken(SIGQUIT) && taken(SIGQUIT);
  lock.release();
  thread.join();
  return written ? 0 : 1;
}

// What the library has its threads for is asked for first: a thread waits.
int dump_at_two_signals() {
  conc::Lock lock("fork");
  lock.acquire();
  static_cast<void>(lock.acquire(1ms));
  conc::dump_on_signal(SIGUSR1);
  conc::dump_on_signal(SIGUSR2);
  for (int i = 0; i < 10; ++i) {
    if (!taken(SIGUSR1) || !taken(SIGUSR2)) return 1;
  }
  return 0;
}

// There is no memory for the first dump, and enough for the third.
int dump_without_memory() {
  conc::dump_on_signal(SIGUSR1);
  conc::test::out_of_memory = true;
  const bool refused = taken(SIGUSR1) && taken(SIGUSR1);
  conc::test::out_of_memory = false;
  return refused && taken(SIGUSR1) && taken(SIGUSR1) ? 0 : 1;
}

// Threads work with everything that the library holds a lock for while others fork.
int forks_under_load() {
  static std::atomic<bool> stop{false};
  static conc::Local<int> local;
  static conc::Lock lock;
  std::vector<std::unique_ptr<Thread>> busy;
  for (int i = 0; i < 4; ++i) {
    busy.push_back(std::make_unique<Thread>([] {
      while (!stop) {
        Thread inner([] { ++local.get(); });
        inner.start();
        inner.set_name("renamed");
        inner.join();
        static_cast<void>(conc::enumerate());
        static_cast<void>(conc::snapshot());
        if (lock.acquire(50us)) lock.release();
      }
    }));
    busy.back()->start();
  }
  int failures = 0;
  for (int i = 0; i < 300; ++i) {
    const ::pid_t child = ::fork();
    if (child == 0) {
      ::alarm(20);
      const std::vector<conc::ThreadInfo> threads = conc::enumerate();
      bool good = threads.size() == 1 && threads[0].main && threads[0].ident == conc::get_ident() &&
                  threads[0].native_id == ::getpid() && conc::active_count() == 1 &&
                  conc::main_thread().ident == conc::get_ident();
      conc::Queue<int> queue(1);
      Event seen;
      Thread fresh([&] {
        for (int item : queue) good = good && item == 7;
        ++local.get();
        seen.set();
      });
      fresh.start();
      queue.put(7);
      queue.shutdown();
      good = good && seen.wait(10s);
      fresh.join();
      if (!good) ::_exit(1);
      std::exit(0);  // which waits for no thread of the parent's
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) ++failures;
  }
  stop = true;
  for (auto& thread : busy) thread->join();
  return failures == 0 ? 0 : 1;
}

// A thread that conc never saw forks, and so does one that it started.
int forks_in_a_thread() {
  int failures = 0;
  const auto fork_once = [&failures](bool known) {
    const ::pid_t child = ::fork();
    if (child == 0) {
      const conc::ThreadInfo self = conc::current_thread();
      const bool good = self.main && self.native_id == ::getpid() && conc::active_count() == 1 &&
                        self.name == (known ? "forker" : "MainThread");
      ::_exit(good ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) ++failures;
  };
  std::thread([&] { fork_once(false); }).join();
  Thread forker({.name = "forker"}, [&] { fork_once(true); });
  forker.start();
  forker.join();
  return failures;
}

// What is made in the main thread of a child is no daemon, even if it was a std::thread.
int forks_in_a_known_stranger() {
  int status = -1;
  std::thread([&status] {
    static_cast<void>(conc::get_ident());
    const ::pid_t child = ::fork();
    if (child == 0) {
      ::_exit(conc::current_thread().daemon || Thread([] {}).daemon() ? 1 : 0);
    }
    ::waitpid(child, &status, 0);
  }).join();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

// Runs f in a child of its own, which has to end with the status 0.
bool in_fork(const std::function<bool()>& f) {
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    if (!f()) ::_exit(1);
    std::exit(0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// The child destroys Threads of its parent: those it is told to, and at its end a static one.
int forks_beside_threads() {
  static Event go;
  static std::unique_ptr<Thread> at_the_end;
  int failures = 0;
  for (int i = 0; i < 20; ++i) {
    go.clear();
    const auto wait = [](std::stop_token stop) {
      Event never;
      static_cast<void>(never.wait(stop));
      go.wait();
    };
    auto thread = std::make_unique<Thread>(conc::ThreadOptions{.name = "w1"}, wait);
    auto daemon = std::make_unique<Thread>(conc::ThreadOptions{.daemon = true}, wait);
    auto ended = std::make_unique<Thread>([] {});
    at_the_end = std::make_unique<Thread>(wait);
    for (Thread* const each : {thread.get(), daemon.get(), ended.get(), at_the_end.get()}) {
      each->start();
    }
    Thread joiner([&] { thread->join(); });
    joiner.start();
    if (!in_fork([&] {
          bool good = thread->name() == "w1" && thread->ident().has_value();
          for (Thread* const each : {thread.get(), daemon.get(), ended.get(), &joiner}) {
            good = good && !each->is_alive() && each->join(conc::at_once);
            each->join();
          }
          Thread fresh([] {});  // which may have the number of one that is gone
          fresh.start();
          thread.reset();
          daemon.reset();
          fresh.join();
          return good && !at_the_end->is_alive();
        })) {
      ++failures;
    }
    go.set();
    thread->request_stop();
    daemon->request_stop();
    daemon->join();
    joiner.join();
    at_the_end.reset();
  }
  return failures;
}

// The thread that forks goes on in the child, where others may wait for it.
int forks_while_it_is_joined() {
  bool good = false;
  std::unique_ptr<Thread> forker;
  Event begin;
  forker = std::make_unique<Thread>([&] {
    begin.wait();
    good = in_fork([&] {
      Event joined;
      Thread joiner([&] {
        if (!forker->join(1ms)) joined.set();
        forker->join();  // until the child's main thread, which this one is, calls exit
      });
      if (!forker->is_alive()) return false;
      joiner.set_daemon(true);
      joiner.start();
      joined.wait();
      return forker->is_alive();
    });
  });
  forker->start();
  Thread joiner([&] { forker->join(); });
  joiner.start();
  begin.set();
  joiner.join();
  return good ? 0 : 1;
}

// A thread is held at each place where start() allocates, while another forks.
int forks_while_a_thread_starts() {
  static std::binary_semaphore there{0};
  static std::binary_semaphore go_on{0};
  static bool held;
  int times = 0;
  for (std::int64_t n = 0;; ++n) {
    auto thread = std::make_unique<Thread>([] {});
    held = false;
    std::thread starter([&thread, n] {
      static_cast<void>(conc::get_ident());
      conc::test::at_that_allocation = [] {
        held = true;
        there.release();
        go_on.acquire();
        return true;
      };
      conc::test::allocations_left = n;
      thread->start();
      conc::test::allocations_left = -1;
      if (!held) there.release();
    });
    there.acquire();
    const bool good = !held || in_fork([&thread] {
      if (thread->is_alive()) return false;
      try {
        if (!thread->join(conc::at_once)) return false;
        thread->join();
      } catch (const conc::UsageError&) {
        // It was not started yet.
      }
      thread.reset();
      return true;
    });
    if (held) go_on.release();
    starter.join();
    thread->join();
    if (!good) return 1;
    if (!held) return times != 0 ? 0 : 2;
    ++times;
  }
}

// Threads take the memory of posted calls and give it back, more than they keep for themselves.
int forks_while_calls_are_posted() {
  using conc::detail::PostMemory;
  static std::atomic<bool> stop{false};
  const auto take_and_give_back = [] {
    void* memory[1000];
    for (void*& each : memory) each = PostMemory::allocate(PostMemory::small);
    for (void* const each : memory) PostMemory::free(each, PostMemory::small);
  };
  static_cast<void>(conc::get_ident());
  std::vector<std::thread> busy;
  for (int i = 0; i < 4; ++i) {
    busy.emplace_back([&] {
      while (!stop) take_and_give_back();
    });
  }
  bool good = true;
  for (int i = 0; good && i < 300; ++i) {
    good = in_fork([&] {
      take_and_give_back();
      return true;
    });
  }
  stop = true;
  for (std::thread& thread : busy) thread.join();
  return good ? 0 : 1;
}

// A thread uses the library for the first time in this process, and is held at one of the places
// where that allocates, while another one forks.
constexpr int no_such_allocation = 7;
int forks_at_first_use() {
  const auto use_everything = [] {
    Thread thread([] {
      conc::Lock lock("first");
      const conc::LockGuard guard(lock);
    });
    thread.start();
    conc::Local<int> local;
    *local = 1;
    Event rung;
    conc::Timer timer(1ms, [&] { rung.set(); });
    timer.start();
    rung.wait();
    conc::detail::PostMemory::free(conc::detail::PostMemory::allocate(8), 8);
    conc::set_excepthook(nullptr);
    thread.join();
  };
  static std::binary_semaphore there{0};
  static std::binary_semaphore go_on{0};
  static bool held = false;
  std::thread stranger([&] {
    conc::test::at_that_allocation = [] {
      held = true;
      there.release();
      // Not for ever: it may have a mutex that a fork waits for.
      static_cast<void>(go_on.try_acquire_for(100ms));
      return true;
    };
    conc::test::allocations_left = std::atoi(std::getenv("CONC_TEST_ALLOCATION"));
    use_everything();
    conc::test::allocations_left = -1;
    if (!held) there.release();
  });
  there.acquire();
  const bool good = in_fork([&] {
    use_everything();
    return true;
  });
  go_on.release();
  stranger.join();
  if (!good) return 1;
  return held ? 0 : no_such_allocation;
}

const std::map<std::string, std::function<int()>>& scenarios() {
  static const std::map<std::string, std::function<int()>> all{
      {"unjoined", unjoined},
      {"joined_with_a_limit", joined_with_a_limit},
      {"started_meanwhile", started_meanwhile},
      {"by_exit_in_a_thread", by_exit_in_a_thread},
      {"daemons_run_on", daemons_run_on},
      {"detached", detached},
      {"refused", refused},
      {"started_without_memory", started_without_memory},
      {"begun_without_memory", begun_without_memory},
      {"renamed_as_it_begins", renamed_as_it_begins},
      {"destroyed_without_memory", destroyed_without_memory},
      {"waits_too_long", waits_too_long},
      {"dump_at_signal", dump_at_signal},
      {"dump_at_two_signals", dump_at_two_signals},
      {"dump_without_memory", dump_without_memory},
      {"forks_under_load", forks_under_load},
      {"forks_in_a_thread", forks_in_a_thread},
      {"forks_in_a_known_stranger", forks_in_a_known_stranger},
      {"forks_beside_threads", forks_beside_threads},
      {"forks_while_it_is_joined", forks_while_it_is_joined},
      {"forks_while_a_thread_starts", forks_while_a_thread_starts},
      {"forks_while_calls_are_posted", forks_while_calls_are_posted},
      {"forks_at_first_use", forks_at_first_use},
  };
  return all;
}

// ---- The claims

constexpr int runs = CONC_TEST_TSAN ? 5 : CONC_TEST_ASAN ? 40 : 200;  // under tsan a second each

void ends_each_time_with(const char* scenario, int status, const std::string& output) {
  for (int i = 0; i < runs; ++i) {
    const ChildEnd end = run_child(scenario);
    ASSERT_EQ(end.status, status) << "run " << i << ": " << end.output;
    ASSERT_EQ(end.output, output) << "run " << i;
  }
}

TEST(AtExit, ThreadsThatAreNoDaemonsAreJoinedAfterMainAndTheStatusIsKept) {
  ends_each_time_with("unjoined", 3, "main;thread;globals;");
}

TEST(AtExit, ThreadsThatWereJoinedWithALimitAreWaitedFor) {
  ends_each_time_with("joined_with_a_limit", 3, "main;thread's own;globals;");
}

TEST(AtExit, ThreadsStartedMeanwhileAreJoinedAsWell) {
  for (int i = 0; i < runs; ++i) {
    const ChildEnd end = run_child("started_meanwhile");
    ASSERT_EQ(end.status, 0) << end.output;
    ASSERT_NE(end.output.find("first;"), std::string::npos) << end.output;
    ASSERT_NE(end.output.find("second;"), std::string::npos) << end.output;
  }
}

TEST(AtExit, AThreadThatCallsExitIsNotWaitedForButTheOthersAre) {
  ends_each_time_with("by_exit_in_a_thread", 4, "other;");
}

TEST(AtExit, DaemonsNeitherDelayTheEndNorMeetDestroyedStateOfTheLibrary) {
  ends_each_time_with("daemons_run_on", 5, "");
}

TEST(AtExit, AThreadWhoseObjectWentInItselfIsWaitedFor) {
  ends_each_time_with("detached", 0, "done;");
}

#if !CONC_TEST_ASAN && !CONC_TEST_TSAN  // these make the stacks
TEST(Thread, ThatIsRefusedIsAsBeforeAndCanBeStartedAgain) {
  const ChildEnd end = run_child("refused");
  EXPECT_EQ(end.status, 0) << end.output;
  EXPECT_EQ(end.output, "ran;");
}
#endif

TEST(Thread, ThatFindsNoMemoryAtItsStartIsAsBeforeAndCanBeStartedAgain) {
  ends_each_time_with("started_without_memory", 0, "");
}

TEST(Thread, ThatFindsNoMemoryToBeginIsAsBeforeAndCanBeStartedAgain) {
  ends_each_time_with("begun_without_memory", 0, "");
}

TEST(Thread, HasTheNameThatItIsGivenAsItBegins) {
  ends_each_time_with("renamed_as_it_begins", 0, "");
}

TEST(Thread, IsWaitedForByItsDestructorWithoutMemoryToo) {
  ends_each_time_with("destroyed_without_memory", 0, "stopped;gone;");
}

// ThreadSanitizer starts no threads in such a child, and LeakSanitizer takes for lost there what
// the threads of the parent hold.
#if !CONC_TEST_ASAN && !CONC_TEST_TSAN
TEST(Fork, TheChildHasTheForkingThreadAloneAndFreshObjectsWork) {
  const ChildEnd end = run_child("forks_under_load");
  EXPECT_EQ(end.status, 0) << end.output;
}

TEST(Fork, TheThreadThatForkedIsTheMainThreadOfTheChild) {
  const ChildEnd end = run_child("forks_in_a_thread");
  EXPECT_EQ(end.status, 0) << end.output;
}

TEST(Fork, TheMainThreadOfTheChildIsNoDaemonIfItWasAStranger) {
  const ChildEnd end = run_child("forks_in_a_known_stranger");
  EXPECT_EQ(end.status, 0) << end.output;
}

TEST(Fork, InTheChildTheParentsThreadsHaveEndedAndTheirObjectsMayGo) {
  const ChildEnd end = run_child("forks_beside_threads");
  EXPECT_EQ(end.status, 0) << end.output;
}

TEST(Fork, TheThreadThatForkedIsAliveInTheChildAndCanBeJoinedThere) {
  const ChildEnd end = run_child("forks_while_it_is_joined");
  EXPECT_EQ(end.status, 0) << end.output;
}

TEST(Fork, InTheChildAThreadThatWasJustBeingStartedHasEndedOrWasNotStarted) {
  const ChildEnd end = run_child("forks_while_a_thread_starts");
  EXPECT_EQ(end.status, 0) << end.output;
}

TEST(Fork, TheChildMayPostCallsWhicheverThreadsWereJustPostingSome) {
  const ChildEnd end = run_child("forks_while_calls_are_posted");
  EXPECT_EQ(end.status, 0) << end.output;
}

TEST(Fork, TheChildMayDoEverythingWhicheverThreadsWereJustBeginningTo) {
  for (int n = 0;; ++n) {
    const ChildEnd end =
        run_child("forks_at_first_use", {"CONC_TEST_ALLOCATION=" + std::to_string(n)});
    if (end.status == no_such_allocation && n > 5) break;
    ASSERT_EQ(end.status, 0) << "held at allocation " << n << ": " << end.output;
  }
}
#endif

TEST(Watchdog, WritesADumpOfAWaitThatLastsTooLongAndOnlyOnce) {
  const ChildEnd end = run_child("waits_too_long", {"CONC_WATCHDOG=100ms"});
  EXPECT_EQ(end.status, 0);
  const std::string line = "\"patient\" ident=2 native_id=";
  const std::size_t found = end.output.find(line);
  ASSERT_NE(found, std::string::npos) << end.output;
  const std::size_t waits =
      end.output.find("waits to acquire Lock \"fork\" held by \"MainThread\" (1) since 0.", found);
  EXPECT_NE(waits, std::string::npos) << end.output;
  EXPECT_EQ(run_child("waits_too_long").output, "") << "not unless asked for";
}

TEST(Watchdog, SaysWhatItDoesNotUnderstand) {
  const ChildEnd end = run_child("waits_too_long", {"CONC_WATCHDOG=soon"});
  EXPECT_EQ(end.status, 0);
  EXPECT_EQ(end.output,
            "conc: CONC_WATCHDOG=soon is no time; write it as 5s, 500ms or 2min. There is no "
            "watchdog.\n");
}

TEST(DumpOnSignal, WritesADumpAndTheProgramGoesOn) {
  const ChildEnd end = run_child("dump_at_signal");
  EXPECT_EQ(end.status, 0);
  EXPECT_NE(end.output.find("waits to acquire Lock \"fork\" held by \"MainThread\" (1)"),
            std::string::npos)
      << end.output;
}

TEST(DumpOnSignal, SaysThatThereIsNoMemoryAndTheProgramGoesOn) {
  const ChildEnd end = run_child("dump_without_memory");
  EXPECT_EQ(end.status, 0);
  const std::string refusal = "conc: no memory for a dump of the threads\n";
  EXPECT_EQ(end.output.find(refusal), 0U) << end.output;
  EXPECT_NE(end.output.find("\"MainThread\" ident=1 "), std::string::npos) << end.output;
}

TEST(DumpOnSignal, EndsNoThreadOfTheLibrary) {
  for (const char* const setting : {"CONC_WATCHDOG=", "CONC_WATCHDOG=60min", "CONC_TRACE=1"}) {
    const ChildEnd end = run_child("dump_at_two_signals", {setting});
    EXPECT_EQ(end.status, 0) << setting << ": " << end.output;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto status = conc::test::run_scenario(scenarios())) return *status;
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

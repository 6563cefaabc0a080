// SPDX-License-Identifier: MIT-0
//
// A Lock that its own thread acquires again makes that thread wait for itself; an RLock lets it in,
// and is free for others when it was released as often. So a function that takes the lock may call
// another that does.

#include <cstdio>

#include <conc/config.hpp>
#include <conc/lock.hpp>
#include <conc/rlock.hpp>
#include <conc/thread.hpp>

conc::RLock list_lock{"list"};

// Clang would refuse to compile these two: what is shown here is what its analysis forbids.
bool free_for_others() CONC_NO_THREAD_SAFETY_ANALYSIS {
  bool free = false;
  conc::Thread other([&free]() CONC_NO_THREAD_SAFETY_ANALYSIS {
    free = list_lock.try_acquire();
    if (free) list_lock.release();
  });
  other.start();
  other.join();
  return free;
}

void tell(const char* when) {
  std::printf("%s: others %s in\n", when, free_for_others() ? "get" : "do not get");
}

int main() CONC_NO_THREAD_SAFETY_ANALYSIS {
  conc::Lock plain{"plain"};
  plain.acquire();
  const bool again = plain.try_acquire();
  std::printf("a Lock lets its thread in again: %s\n", again ? "true" : "false");
  if (again) plain.release();
  plain.release();

  tell("free");
  list_lock.acquire();
  list_lock.acquire();
  tell("acquired twice");
  list_lock.release();
  tell("released once");
  list_lock.release();
  tell("released twice");
}

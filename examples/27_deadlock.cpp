// SPDX-License-Identifier: MIT-0
//
// The philosophers of 06_noodles again: each holds what the other one wants, and waits. Left alone,
// conc says on stderr, or in the logger conc.deadlock, who waits for whom, and they wait on. Asked
// to, it lets the call that would close the circle throw, and there is no deadlock.

#include <cstdio>
#include <mutex>

#include <conc/barrier.hpp>
#include <conc/diagnostics.hpp>
#include <conc/errors.hpp>
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>
#include <conc/thread.hpp>

// Once both have taken what is nearer to them, one is the last to wait. Which one is up to the day.
void dine(const char* name, conc::Lock& near, conc::Lock& far, conc::Barrier& both) {
  {
    const conc::LockGuard hold_one(near);
    both.wait();
    try {
      const conc::LockGuard hold_other(far);
      std::printf("%s: eats\n", name);
      return;
    } catch (const conc::DeadlockError& error) {
      std::printf("%s: %s\n", name, error.what());
    }
  }
  // What was near is given back, so the other one eats.
  const std::scoped_lock hold(near, far);
  std::printf("%s: eats as well\n", name);
}

int main() {
  conc::on_deadlock(conc::OnDeadlock::raise);

  conc::Lock fork("fork"), noodles("noodles");
  conc::Barrier both(2);
  conc::Thread plato({.name = "Plato"}, [&] { dine("Plato", noodles, fork, both); });
  conc::Thread seneca({.name = "Seneca"}, [&] { dine("Seneca", fork, noodles, both); });
  plato.start();
  seneca.start();
  plato.join();
  seneca.join();
}

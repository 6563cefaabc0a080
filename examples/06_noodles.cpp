// SPDX-License-Identifier: MIT-0
//
// Two philosophers, one fork, one bowl of noodles. Who wants to eat needs both. If each has taken
// one of them and waits for the other, both wait for ever: a deadlock.

#include <chrono>
#include <cstdio>
#include <mutex>

#include <conc/event.hpp>
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>
#include <conc/thread.hpp>

using namespace std::chrono_literals;

struct Table {
  conc::Lock fork{"fork"};
  conc::Lock noodles{"noodles"};
};

// Each takes what is nearer to him. The events make sure that they get into each other's way, which
// otherwise happens only now and then, and most often when somebody is watching.
void broken(Table& table) {
  conc::Event fork_taken, noodles_taken;

  conc::Thread plato({.name = "Plato"}, [&] {
    const conc::LockGuard hold_noodles(table.noodles);
    noodles_taken.set();
    fork_taken.wait();
    const conc::LockGuard hold_fork(table.fork);
    std::printf("Plato: eats\n");
  });
  conc::Thread seneca({.name = "Seneca"}, [&] {
    {
      const conc::LockGuard hold_fork(table.fork);
      fork_taken.set();
      noodles_taken.wait();
      // Without the time this would never return, and neither would Plato's.
      if (table.noodles.acquire(50ms)) {
        std::printf("Seneca: eats first\n");
        table.noodles.release();
        return;
      }
      std::printf("Seneca: no noodles for 50 ms, so I put the fork down\n");
    }
    const std::scoped_lock hold(table.fork, table.noodles);
    std::printf("Seneca: eats\n");
  });
  plato.start();
  seneca.start();
  plato.join();
  seneca.join();
}

// std::scoped_lock takes both or none: it never holds one while it waits for the other. So the
// order does not matter.
void fixed(Table& table) {
  int meals = 0;
  conc::Thread plato({.name = "Plato"}, [&] {
    for (int i = 0; i < 1000; ++i) {
      const std::scoped_lock hold(table.noodles, table.fork);
      ++meals;
    }
  });
  conc::Thread seneca({.name = "Seneca"}, [&] {
    for (int i = 0; i < 1000; ++i) {
      const std::scoped_lock hold(table.fork, table.noodles);
      ++meals;
    }
  });
  plato.start();
  seneca.start();
  plato.join();
  seneca.join();
  std::printf("together they had %d meals\n", meals);
}

int main() {
  Table table;
  broken(table);
  fixed(table);
}

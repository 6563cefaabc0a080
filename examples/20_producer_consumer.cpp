// SPDX-License-Identifier: MIT-0
//
// A baker bakes while two customers eat. The tray holds three buns: put() waits while it is full,
// get() while it is empty. When the baker has done, shutdown() lets the customers eat up what is
// there and then ends their loops. No flag, no sentinel, and nobody left waiting in get().

#include <cstdio>
#include <string>

#include <conc/queue.hpp>
#include <conc/thread.hpp>

int main() {
  conc::Queue<int> tray(3, "tray");
  int eaten[2] = {0, 0};

  conc::Thread baker({.name = "baker"}, [&] {
    for (int bun = 1; bun <= 20; ++bun) tray.put(bun);
    tray.shutdown();
  });
  const auto customer = [&](int self) {
    for ([[maybe_unused]] const int bun : tray) {
      ++eaten[self];
      tray.task_done();
    }
  };
  conc::Thread anne({.name = "anne"}, customer, 0);
  conc::Thread bert({.name = "bert"}, customer, 1);

  anne.start();
  bert.start();
  baker.start();
  baker.join();
  tray.join();  // until there was a task_done() for every bun
  anne.join();
  bert.join();

  std::printf("20 buns baked, %d eaten\n", eaten[0] + eaten[1]);
}

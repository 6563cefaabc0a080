// SPDX-License-Identifier: MIT-0
//
// A producer releases versions of a program, and two consumers install each of them. A Condition is
// a lock together with the threads that wait for a change of what it guards: they give up the lock
// while they wait, and hold it again when they go on.

#include <cstdio>
#include <string>

#include <conc/condition.hpp>
#include <conc/lock_guard.hpp>
#include <conc/thread.hpp>

constexpr int last_version = 3;

struct Shop {
  conc::Condition changed{"shop"};
  int version = 0;    // the newest; this and the next are guarded by `changed`
  int installed = 0;  // how many consumers have it
};

void produce(Shop& shop) {
  for (int version = 1; version <= last_version; ++version) {
    const conc::LockGuard hold(shop.changed);
    shop.version = version;
    shop.installed = 0;
    shop.changed.notify_all();
    shop.changed.wait_for([&] { return shop.installed == 2; });
    std::printf("version %d is installed everywhere\n", version);
  }
}

void consume(Shop& shop, std::string& diary) {
  for (int mine = 0; mine < last_version;) {
    const conc::LockGuard hold(shop.changed);
    shop.changed.wait_for([&] { return shop.version > mine; });
    mine = shop.version;
    diary += ' ';
    diary += std::to_string(mine);
    ++shop.installed;
    shop.changed.notify_all();
  }
}

int main() {
  Shop shop;
  std::string annas, bens;
  conc::Thread anna({.name = "Anna"}, [&] { consume(shop, annas); });
  conc::Thread ben({.name = "Ben"}, [&] { consume(shop, bens); });
  conc::Thread producer({.name = "producer"}, [&] { produce(shop); });
  anna.start();
  ben.start();
  producer.start();
  anna.join();
  ben.join();
  producer.join();
  std::printf("Anna had%s\n", annas.c_str());
  std::printf("Ben had%s\n", bens.c_str());
}

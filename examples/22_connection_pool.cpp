// SPDX-License-Identifier: MIT-0
//
// Five workers share three connections. A worker that finds all of them lent waits until one comes
// back; a lease gives its connection back at the end of its scope, also when something throws.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <conc/errors.hpp>
#include <conc/resource_pool.hpp>
#include <conc/thread.hpp>

using namespace std::chrono_literals;

struct Connection {
  std::string name;
};

int main() {
  std::atomic<int> made = 0;
  conc::ResourcePool<Connection> pool(
      3, [&made] { return Connection{"connection " + std::to_string(++made)}; }, "database");

  std::atomic<int> in_use = 0;
  std::atomic<int> most = 0;
  std::vector<std::unique_ptr<conc::Thread>> workers;
  for (int i = 0; i < 5; ++i) {
    workers.push_back(std::make_unique<conc::Thread>([&] {
      for (int query = 0; query < 10; ++query) {
        const auto connection = pool.acquire();
        const int now = ++in_use;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        --in_use;
      }
    }));
  }
  for (const auto& worker : workers) worker->start();
  for (const auto& worker : workers) worker->join();
  std::printf("never more than 3 at once: %s\n", most <= 3 && made <= 3 ? "true" : "false");
  std::printf("all %zu are back\n", pool.available());

  const auto one = pool.acquire();
  const auto two = pool.acquire();
  auto three = pool.acquire();
  try {
    static_cast<void>(pool.acquire(10ms));
  } catch (const conc::TimeoutError& error) {
    std::printf("%s\n", error.what());
  }
  const int before = made;
  three.discard();  // it was broken: the next borrower gets a new one
  const auto four = pool.acquire();
  std::printf("a new one was made: %s\n", made == before + 1 ? "true" : "false");
}

// SPDX-License-Identifier: MIT-0
//
// First finished, first handled: a callback is called with the future the moment it is done, by the
// thread that made the result. Nobody waits for a page while another one is already there.

#include <cstdio>
#include <map>
#include <string>

#include <conc/event.hpp>
#include <conc/future.hpp>
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>
#include <conc/thread_pool_executor.hpp>

struct Page {
  std::string url;
  std::string text;
};

int main() {
  // Stands for three servers. Each answers when its event is set: so the order is ours to choose.
  std::map<std::string, conc::Event> servers;
  for (const char* const url : {"slow.example", "quick.example", "middling.example"}) servers[url];

  conc::Lock lock{"list"};
  std::string list;  // what a crawler would write to a file; guarded by the lock

  conc::ThreadPoolExecutor pool({.max_workers = 3, .thread_name_prefix = "crawler"});
  conc::Event handled;
  for (auto& entry : servers) {
    pool.submit(
            [&server = entry.second](const std::string& address) {
              server.wait();
              return Page{address, std::string(address.size() * 100, '.')};
            },
            entry.first)
        .add_done_callback([&](const conc::Future<Page>& done) {
          const Page& page = done.result();
          {
            const conc::LockGuard hold(lock);
            list += page.url + ": " + std::to_string(page.text.size()) + " bytes\n";
          }
          handled.set();
        });
  }

  for (const char* const url : {"quick.example", "middling.example", "slow.example"}) {
    servers[url].set();
    handled.wait();
    handled.clear();
  }
  pool.shutdown();
  const conc::LockGuard hold(lock);
  std::fputs(list.c_str(), stdout);
}

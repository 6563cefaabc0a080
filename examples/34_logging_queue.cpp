// SPDX-License-Identifier: MIT-0
//
// A thread that must not wait for a disk or a terminal puts its records into a queue; another
// thread writes them. The queue has a bound, and you say what happens when it is full.

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <conc/logging.hpp>
#include <conc/thread.hpp>

namespace logging = conc::logging;

int main() {
  const auto out = std::make_shared<logging::StreamHandler>(std::cout);
  out->set_formatter(std::make_shared<logging::Formatter>("%(threadName)s: %(message)s"));

  const auto queue = std::make_shared<logging::RecordQueue>(1000);
  const auto handler = std::make_shared<logging::QueueHandler>(queue, logging::Overflow::block);
  logging::Logger& log = logging::get_logger("shop");
  log.set_level(logging::Level::info);
  log.add_handler(handler);

  {
    logging::QueueListener listener(queue, {out});
    listener.start();

    // The line says which thread logged, not which one wrote.
    std::vector<conc::Thread> clerks;
    for (const char* name : {"ann", "bob"}) {
      clerks.emplace_back(conc::ThreadOptions{.name = name}, [&log] {
        for (int i = 1; i <= 3; ++i) log.info("customer {}", i);
      });
      clerks.back().start();
      clerks.back().join();  // one after the other, for the sake of the output
    }

    // Waits until all is written; flush(100ms) would give up at a time.
    if (handler->flush(conc::forever)) std::cout << "all is written\n";
  }  // the listener's destructor writes what is left and ends the thread

  // When it matters more to go on than to keep every line, the queue drops and counts.
  const auto small = std::make_shared<logging::RecordQueue>(2);
  const auto dropping =
      std::make_shared<logging::QueueHandler>(small, logging::Overflow::drop_oldest);
  log.remove_handler(handler);
  log.add_handler(dropping);
  for (int i = 1; i <= 5; ++i) log.info("burst {}", i);
  std::cout << dropping->dropped() << " dropped\n";
  logging::QueueListener late(small, {out});
  late.start();
}

// SPDX-License-Identifier: MIT-0
//
// In a program with threads, log instead of printing: lines of several threads do not mix, and each
// says which thread wrote it and when.

#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <conc/logging.hpp>
#include <conc/thread.hpp>

namespace logging = conc::logging;

void work(int rounds) {
  static logging::Logger& log = logging::get_logger("shop");
  for (int round = 1; round <= rounds; ++round) log.info("round {}", round);
}

int main() {
  logging::basic_config(
      {.level = logging::Level::info,
       .format = "%(asctime)s %(threadName)-10s [%(thread)d] %(levelname)s %(name)s: %(message)s",
       .datefmt = "%F %T",
       .stream = &std::cout});

  std::vector<conc::Thread> workers;
  for (int i = 1; i <= 3; ++i) {
    workers.emplace_back(conc::ThreadOptions{.name = "worker-" + std::to_string(i)}, work, 2);
  }
  for (conc::Thread& worker : workers) worker.start();
  for (conc::Thread& worker : workers) worker.join();
  logging::info("all {} are done", workers.size());

  // An exception that leaves a thread is not lost either: the library logs it as conc.thread.
  conc::Thread clumsy({.name = "clumsy"}, [] { throw std::runtime_error("dropped a plate"); });
  clumsy.start();
  clumsy.join();
}

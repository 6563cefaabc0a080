// SPDX-License-Identifier: MIT-0
//
// Which threads are there? The library keeps a list: the main thread, the threads that conc
// started, and others once they have taken one of its locks, or slept in one of its calls.

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <conc/event.hpp>
#include <conc/thread.hpp>
#include <conc/thread_info.hpp>

void print_threads(const char* when) {
  std::printf("%s: %zu\n", when, conc::active_count());
  for (const conc::ThreadInfo& info : conc::enumerate()) {
    std::printf("  %s%s\n", info.name.c_str(), info.daemon ? ", a daemon" : "");
  }
}

int main() {
  std::printf("the main thread is called %s\n", conc::main_thread().name.c_str());

  conc::Event may_end;
  std::vector<std::unique_ptr<conc::Thread>> threads;
  for (const char* const name : {"ox", "ass", "sheep"}) {
    threads.push_back(std::make_unique<conc::Thread>(conc::ThreadOptions{.name = name}, [&] {
      may_end.wait();
      // In a thread, current_thread() tells who it is.
      if (conc::current_thread().name == "sheep") conc::set_current_thread_name("lamb");
    }));
  }

  print_threads("before the start");
  for (auto& thread : threads) thread->start();
  print_threads("after the start");
  may_end.set();
  for (auto& thread : threads) thread->join();
  print_threads("after their end");
  std::printf("the third was renamed %s\n", threads[2]->name().c_str());
}

// SPDX-License-Identifier: MIT-0
//
// A thread with data of its own. In Python one writes a subclass of Thread and overrides run(). In
// C++ the class needs no base: ThreadOf makes the object, and runs its run() in the new thread.
//
// Why not `class Baker : public Thread`? The base class would be destroyed after the rest of the
// object, and so would wait for a thread that still uses what is gone already. ThreadOf shares the
// object with the thread, so it is there as long as run() is.

#include <cstdio>
#include <stop_token>
#include <string>
#include <utility>

#include <conc/thread_info.hpp>
#include <conc/thread_of.hpp>

class Baker {
 public:
  Baker(std::string bread, int loaves) : bread_(std::move(bread)), loaves_(loaves) {}

  // What the thread does. A run() without the token would do as well.
  void run(std::stop_token stop) {
    while (baked_ < loaves_ && !stop.stop_requested()) ++baked_;
    std::printf("%s has baked %d loaves of %s\n", conc::current_thread().name.c_str(), baked_,
                bread_.c_str());
  }

  int baked() const { return baked_; }

 private:
  std::string bread_;
  int loaves_;
  int baked_ = 0;
};

int main() {
  conc::ThreadOf<Baker> baker({.name = "baker"}, "rye", 12);
  std::printf("before the start: %d\n", baker->baked());
  baker.start();  // start(), join() and all else are Thread's
  baker.join();
  std::printf("after the end: %d\n", baker->baked());  // the object, through ->
}

// SPDX-License-Identifier: MIT-0
//
// A PeriodicTimer calls a function at a fixed rate. Here it prints a line whenever the work has
// come further, and ends itself when there is no more to come.

#include <atomic>
#include <chrono>
#include <cstdio>

#include <conc/event.hpp>
#include <conc/periodic_timer.hpp>

using namespace std::chrono_literals;

class Progress {
 public:
  explicit Progress(int all) : all_(all) { timer_.start(); }

  void one_more() { ++done_; }
  void wait_for_line() {
    printed_.wait();
    printed_.clear();
  }
  void wait_for_the_end() { timer_.join(); }

 private:
  // Calls never overlap, so `shown_` needs no lock. Should printing take longer than the period one
  // day, the times that it missed are left out: Overrun::skip is the default.
  void print() {
    const int done = done_;
    if (done == shown_) return;
    std::printf("%d of %d files\n", done, all_);
    shown_ = done;
    if (done == all_) timer_.cancel();
    printed_.set();
  }

  const int all_;
  std::atomic<int> done_{0};
  int shown_ = 0;
  conc::Event printed_{"a progress line"};
  // The last member: it is destroyed, and with that ended, before what its function uses.
  conc::PeriodicTimer timer_{{.name = "progress"}, 10ms, [this] { print(); }};
};

int main() {
  Progress progress(4);
  for (int file = 0; file < 4; ++file) {
    progress.one_more();
    progress.wait_for_line();  // a file takes as long as its line, so that you see all of them
  }
  progress.wait_for_the_end();
  std::printf("done\n");
}

// SPDX-License-Identifier: MIT-0
//
// The process ends when main has returned and all threads have ended that are no daemons. Daemons
// are cut off then, wherever they are.

#include <chrono>
#include <cstdio>

#include <conc/event.hpp>
#include <conc/thread.hpp>

using namespace std::chrono_literals;

conc::Event log_is_open;
conc::Event main_is_over;

// Never destroyed, since a daemon waits in it: that may use nothing that goes before the process
// ends.
conc::Event& never = *new conc::Event;

void play_music() {
  main_is_over.wait();
  static_cast<void>(never.wait(30ms));  // an Event that nobody sets makes a good pause
  std::printf("music: the last song is over, long after main\n");
}

void keep_log() {
  std::printf("log: open\n");
  log_is_open.set();
  static_cast<void>(never.wait(1h));
  std::printf("log: closed, which nobody will ever read\n");
}

int main() {
  // The flag can be set until the thread is started. A thread inherits it from the one that makes
  // it.
  conc::Thread heir({.daemon = true}, [] {
    const conc::Thread child([] {});
    std::printf("a daemon's child is %s\n", child.daemon() ? "a daemon" : "no daemon");
  });
  heir.start();
  heir.join();

  // The destructor of a thread waits for it, unless it is a daemon. To leave the music playing, its
  // object must stay: it is made with new, and never destroyed.
  static auto* const player = new conc::Thread({.name = "music"}, play_music);
  player->start();

  conc::Thread writer({.name = "log", .daemon = true}, keep_log);
  writer.start();
  log_is_open.wait();
  std::printf("main is over\n");
  main_is_over.set();
}

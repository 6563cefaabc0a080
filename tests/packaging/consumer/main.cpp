// Uses a little of every library: an event and a lock from conc::core, a logger from conc::logging.
#include <conc/conc.hpp>

#include <mutex>
#include <thread>

int main() {
  conc::Lock lock;
  conc::Event ready;
  int cups = 0;

  std::thread worker([&] {
    for (int i = 0; i < 3; ++i) {
      std::scoped_lock guard(lock);
      ++cups;
    }
    ready.set();
  });
  ready.wait();
  worker.join();

  std::scoped_lock guard(lock);
  conc::logging::get_logger("consumer").warning("{} cups are ready", cups);
  return cups == 3 ? 0 : 1;
}

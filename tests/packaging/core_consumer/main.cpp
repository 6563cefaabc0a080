// Uses conc::core alone.
#include <conc/event.hpp>
#include <conc/lock.hpp>

#include <chrono>
#include <mutex>
#include <thread>

int main() {
  using namespace std::chrono_literals;

  conc::Lock lock;
  conc::Event ready;
  bool locked = false;

  std::thread worker([&] {
    std::scoped_lock guard(lock);
    locked = lock.locked();
    ready.set();
  });
  const bool in_time = ready.wait(10s);
  worker.join();

  return in_time && locked ? 0 : 1;
}

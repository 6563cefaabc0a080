// clang must say: writing variable 'count' requires holding mutex 'lock' exclusively
#include <conc/rlock.hpp>

#include <chrono>

namespace {

conc::RLock lock;
int count CONC_GUARDED_BY(lock) = 0;

}  // namespace

int main() {
  // The time may be up.
  static_cast<void>(lock.acquire(std::chrono::milliseconds(1)));
  ++count;
}

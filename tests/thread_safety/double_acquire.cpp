// clang must say: acquiring mutex 'lock' that is already held
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>

namespace {

conc::Lock lock;
int count CONC_GUARDED_BY(lock) = 0;

}  // namespace

int main() {
  const conc::LockGuard hold(lock);
  lock.acquire();
  ++count;
  lock.release();
}

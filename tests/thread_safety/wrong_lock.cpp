// clang must say: writing variable 'count' requires holding mutex 'right' exclusively
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>
#include <conc/rlock.hpp>

namespace {

conc::Lock right;
conc::RLock wrong;
int count CONC_GUARDED_BY(right) = 0;

}  // namespace

int main() {
  const conc::LockGuard hold(wrong);
  ++count;
}

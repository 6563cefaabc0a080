// clang must say: mutex 'lock' is still held at the end of function
#include <conc/lock.hpp>

namespace {

conc::Lock lock;
int count CONC_GUARDED_BY(lock) = 0;

}  // namespace

int main() {
  lock.acquire();
  return ++count;
}

// clang must say: reading variable 'count' requires holding mutex 'lock'
#include <conc/lock.hpp>

namespace {

conc::Lock lock;
int count CONC_GUARDED_BY(lock) = 0;

}  // namespace

int main() { return count; }

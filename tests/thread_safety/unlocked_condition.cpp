// clang must say: writing variable 'ready' requires holding mutex 'changed' exclusively
#include <conc/condition.hpp>
#include <conc/lock_guard.hpp>

namespace {

conc::Condition changed;
bool ready CONC_GUARDED_BY(changed) = false;

}  // namespace

int main() {
  {
    const conc::LockGuard hold(changed);
    while (!ready) changed.wait();
  }
  ready = false;
}

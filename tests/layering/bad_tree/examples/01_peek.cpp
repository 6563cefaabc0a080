#include <conc/lock.hpp>

int main() { return conc::detail::spins(); }

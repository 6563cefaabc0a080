// What a test does in the child of a fork.
#pragma once

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include "sanitizers.hpp"

namespace conc::test {

// The sanitizers' allocators are not taken over a fork: a child that allocates hangs when one of
// the parent's threads was just allocating.
inline constexpr bool a_child_may_allocate = !CONC_TEST_ASAN && !CONC_TEST_TSAN;

// How the child ended, which ends with 0 after `child`; one that hangs is ended by its own alarm
// clock.
template <class Child>
int in_child(Child&& child) {
  const ::pid_t pid = ::fork();
  if (pid == 0) {
    ::alarm(60);
    child();
    ::_exit(0);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return status;
}

}  // namespace conc::test

// Barrier against std::barrier, which can neither time out nor break.
#include <conc/barrier.hpp>

#include <barrier>

#include "barrier_rows.hpp"

namespace {

using conc::bench::barrier_action_rows;
using conc::bench::barrier_rows;
using conc::bench::Count;

[[maybe_unused]] const bool registered =
    barrier_rows<conc::Barrier>("") && barrier_rows<std::barrier<>>("_std") &&
    barrier_action_rows<conc::Barrier>("") && barrier_action_rows<std::barrier<Count>>("_std");

}  // namespace

// Everything that conc offers. For users only: the library's own files include what they need.
#pragma once

#include <conc/as_completed.hpp>
#include <conc/barrier.hpp>
#include <conc/bounded_semaphore.hpp>
#include <conc/condition.hpp>
#include <conc/errors.hpp>
#include <conc/event.hpp>
#include <conc/executor.hpp>
#include <conc/future.hpp>
#include <conc/hooks.hpp>
#include <conc/inline_executor.hpp>
#include <conc/lifo_queue.hpp>
#include <conc/lock.hpp>
#include <conc/lock_guard.hpp>
#include <conc/logging.hpp>
#include <conc/priority_queue.hpp>
#include <conc/promise.hpp>
#include <conc/queue.hpp>
#include <conc/resource_pool.hpp>
#include <conc/rlock.hpp>
#include <conc/semaphore.hpp>
#include <conc/thread.hpp>
#include <conc/thread_pool_executor.hpp>
#include <conc/until.hpp>
#include <conc/version.hpp>
#include <conc/wait.hpp>

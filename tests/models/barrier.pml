// Barrier: rounds, timeouts, the action, abort() and reset().
//
// What is modelled. THREADS threads each call wait() CALLS times on a barrier for PARTIES, each
// time either for as long as it takes or with a timeout that may strike at any moment. Another
// thread calls reset() and abort() BREAKS times, whenever it likes. With -DACTION there is an
// action, which may throw. When nobody can go on any more, because fewer threads than parties are
// left, a last abort() lets them go.
//
// Which step stands for what. An `atomic` block that begins with !locked is all that the source
// does under the mutex, one step because, of what it does, others see the one change of the word
// only. Where the source reads the word there twice and it may change between, the mutex is held
// from one step to the next. Every other line that reads or writes something shared is a step of
// its own.
//
//   step                 source: src/barrier.cpp
//   arrive:              wait(): its loop, which ends in one read-modify-write or in none
//   arrive_slow:         arrive_slow(): from the mutex to the end of the loop's body
//   for_the_action:      arrive_slow(): the sleep of those who come while the action runs, and
//                        give_up_next()
//   watch:               watch(): one look at the word, or the mutex and what is done under it
//   sleep:, look:        sleep(), and give_up()
//   act:                 act(), end_action()
//   reset:, abort:       reset(), abort()
//   end_broken           end_broken()
//   take_all             take_all(); the list is a set here, since all leave it at once
//   wake_all             WakeChain::wake_all() of include/conc/detail/wait_list.hpp
//
// What is left out. Memory is sequentially consistent. How a thread lies down and is woken is in
// lock.pml. Spinning is looking once, or not at all; a stop is a timeout. The action calls neither
// reset() nor abort(), which may come from elsewhere meanwhile.
//
// Properties.
//   - Each round ends the same way for all who came to it: complete, with PARTIES different indices
//     from 0 up, or broken.
//   - One action at a time, once a round, over before anybody's wait() returns. Who comes while it
//     runs breaks no round that others have come to.
//   - No invalid end state, and no step that can be repeated for ever; and when nobody can go on,
//     those who wait are fewer than the parties, in a round that is whole, with no action running.
//   - After reset() the barrier is whole and nobody has come.
//   - At the end the barrier is at rest: list empty, nobody arrived, no flag but `broken`.
//
// Mistakes that must be found.
//   MISTAKE_FORGET_STRAGGLERS  a round is broken and those who still watch the word are forgotten
//   MISTAKE_IGNORE_SLEEPERS    the last to arrive does not look for sleepers
//   MISTAKE_DO_NOT_LOOK        who gives up does not look whether it was taken off the list
//   MISTAKE_COUNT_ACTOR        who runs the action is counted among those who watch the word
//
// Size: 3.4 million states for three threads on a barrier for two, 6.0 million for three parties,
// 2.1 million with the action and one break; 0.6 million for two threads that meet twice with an
// action, 1.1 million in the search for endless runs. Half a minute at most, and 0.4 GB. With
// -DCALLS=2 -DBREAKS=1, three threads come twice: 13 million.

#ifndef PARTIES
#define PARTIES 2
#endif
#ifndef THREADS
#define THREADS 3
#endif
#ifndef CALLS
#define CALLS 1
#endif
#ifndef BREAKS
#define BREAKS 2
#endif
#define ROUNDS (THREADS * CALLS + BREAKS + 2)

#ifdef ACTION
#define has_action true
#else
#define has_action false
#endif

// ---- The word

bool broken = false;
bool acting = false;
bool doomed = false;
bool sleepers = false;
bool stragglers = false;
byte arrived = 0;
byte round = 0;

// ---- Under the mutex

bool locked = false;
byte sleeping = 0;
byte straggling = 0;
byte straggled_round = 0;

// ---- The nodes, one for each thread

bool linked[THREADS];
bool woken[THREADS];
bool granted[THREADS];

// ---- What the properties ask about

#define unknown 0
#define complete 1
#define was_broken 2

byte outcome[ROUNDS];    // how the round ended for those who know
byte indices[ROUNDS];    // a bit for each index that was given out
byte returned[ROUNDS];   // how many went on
bool acted[ROUNDS];      // the action is over
byte actions = 0;        // that run
bool patient[THREADS];   // it waits without a timeout
byte left = 0;           // threads that are out of everything
byte resting = 0;        // threads in the list without a timeout

inline came() {
  assert(index < PARTIES && (indices[mine] & (1 << index)) == 0);
  indices[mine] = indices[mine] | (1 << index)
}

inline push(thread) {
  assert(!linked[thread]);
  linked[thread] = true;
  woken[thread] = false;
  granted[thread] = false;
  resting = resting + patient[thread]
}

// Those taken off the list are noted in the caller's `chain`, a bit for each.
inline take_all(success) {
  i = 0;
  do
  :: i < THREADS ->
    if
    :: linked[i] ->
      linked[i] = false;
      granted[i] = success;
      resting = resting - patient[i];
      chain = chain | (1 << i)
    :: else
    fi;
    i++
  :: else -> break
  od;
  i = 0;
  sleeping = 0
}

inline wake_all() {
  do
  :: atomic { chain != 0 ->
      do
      :: (chain & (1 << i)) == 0 -> i++
      :: else -> break
      od;
      chain = chain & ~(1 << i);
      assert(!woken[i]);
      woken[i] = true;
      i = 0
    }
  :: else -> break
  od
}

inline end_broken(whole) {
  untold = arrived;
  if
#ifdef MISTAKE_COUNT_ACTOR
  :: untold != 0 -> untold = untold - sleeping
#else
  :: untold != 0 -> untold = untold - sleeping - acting
#endif
  :: else
  fi;
  assert(untold >= 0);
  if
  :: untold != 0 ->
    assert(straggling == 0);
    straggling = untold;
    straggled_round = round;
#ifndef MISTAKE_FORGET_STRAGGLERS
    stragglers = true
#endif
  :: else
  fi;
  untold = 0;
  round = round + (whole);
  broken = !(whole);
  arrived = 0;
  doomed = false;
  sleepers = false
}

inline end_complete() {
  round++;
  arrived = 0;
  broken = doomed;
  doomed = false;
  sleepers = false
}

proctype party(byte self) {
  byte call = 0;
  byte i = 0;
  byte mine = 0;     // the round that this thread came to
  byte index = 0;
  byte chain = 0;
  short untold = 0;
  bool success = false;

  do
  :: call == CALLS -> break
  :: call < CALLS ->
    atomic {
      call++;
      if
      :: patient[self] = true
      :: patient[self] = false
      fi
    }

arrive:
    atomic {
      if
      :: !broken && !acting && !stragglers ->
        if
        :: arrived + 1 < PARTIES ->
          index = arrived;
          mine = round;
          arrived++;
          came();
          goto watch
#ifdef MISTAKE_IGNORE_SLEEPERS
        :: arrived + 1 == PARTIES && !has_action ->
#else
        :: arrived + 1 == PARTIES && !has_action && !sleepers ->
#endif
          index = arrived;
          mine = round;
          end_complete();
          came();
          goto went_through
        :: else
        fi
      :: else
      fi
    }

arrive_slow:
    atomic {
      !locked ->
      woken[self] = false;
      if
      :: broken -> goto refused
      :: !broken && acting -> push(self); goto for_the_action
      :: else ->
        index = arrived;
        mine = round;
        came();
        if
        :: index + 1 < PARTIES ->
          arrived++;
          sleepers = true;
          push(self);
          sleeping++;
          goto sleep
        :: index + 1 == PARTIES && has_action ->
          arrived++;
          acting = true;
          goto act
        :: else ->
          end_complete();
          take_all(true);
          success = true;
          goto tell
        fi
      fi
    }

for_the_action:
    if
    :: woken[self] -> goto arrive_slow
    :: !patient[self] && !woken[self]
    fi;
    atomic {
      !locked ->
      if
      :: linked[self] && arrived == PARTIES ->
        linked[self] = false;
        doomed = true;
        goto refused
      :: linked[self] && arrived != PARTIES ->
        assert(arrived == 0);
        end_broken(false);
        take_all(false)
      :: else
      fi
    }
    if
    :: chain != 0 -> wake_all(); goto refused
    :: else -> woken[self]; goto arrive_slow
    fi;

watch:
    if
    :: atomic { round != mine && !stragglers -> goto went_through }
    :: atomic {
        !locked ->
        if
        :: (round != mine || broken) && (straggling == 0 || straggled_round != mine) ->
          goto went_through
        :: (round != mine || broken) && straggling != 0 && straggled_round == mine ->
          straggling--;
          if
          :: straggling == 0 -> stragglers = false
          :: else
          fi;
          goto broke
        :: else ->
          sleepers = true;
          push(self);
          sleeping++
        fi
      }
    fi;

sleep:
    if
    :: woken[self] -> goto read
    :: !patient[self] && !woken[self]
    fi;
look:
    atomic {
      !locked ->
      if
#ifdef MISTAKE_DO_NOT_LOOK
      :: true ->
#else
      :: linked[self] ->
#endif
        end_broken(false);
        take_all(false);
        success = false;
        goto tell
      :: else
      fi
    }
    woken[self];
read:
    if
    :: granted[self] -> goto went_through
    :: else -> goto broke
    fi;

act:
    atomic {
      actions++;
      assert(actions == 1 && !acted[mine] && returned[mine] == 0)
    }
    atomic {
      actions--;
      acted[mine] = true;
      if
      :: success = true
      :: success = false
      fi
    }
    atomic {
      !locked ->
      assert(acting);
      success = success && round == mine && !broken;
      if
      :: success -> end_complete(); acting = false
      :: !success && round == mine && !broken -> end_broken(false); acting = false
      :: else -> acting = false
      fi;
      take_all(success)
    }

tell:
    wake_all();
    if
    :: success -> goto went_through
    :: else -> goto broke
    fi;

went_through:
    atomic {
      assert(outcome[mine] != was_broken && (acted[mine] || !has_action));
      outcome[mine] = complete;
      returned[mine]++;
      goto next
    }
broke:
    atomic {
      assert(outcome[mine] != complete);
      outcome[mine] = was_broken
    }
refused:
    skip;
next:
    atomic {
      assert(!linked[self]);
      success = false;
      woken[self] = false;
      granted[self] = false;
      index = 0;
      mine = 0
    }
  od;
  left++
}

proctype breaker() {
  byte breaks = 0;
  byte i = 0;
  byte chain = 0;
  short untold = 0;

  do
  :: breaks < BREAKS ->
    breaks++;
    if
    :: true ->
reset:
      atomic { !locked -> locked = true }
      if
      :: broken || arrived != 0 ->
        atomic {
          end_broken(true);
          assert(!broken && arrived == 0);
          take_all(false);
          locked = false
        }
      :: else -> locked = false
      fi
    :: true ->
abort:
      atomic {
        !locked ->
        if
        :: !broken -> end_broken(false); take_all(false)
        :: else
        fi
      }
    fi;
    wake_all()
  :: else -> break
  od;

  left + resting == THREADS;
  if
  :: resting != 0 ->
    atomic {
      assert(!locked && !broken && !acting && !doomed && !stragglers);
      assert(arrived == resting && arrived < PARTIES);
      end_broken(false);
      take_all(false)
    }
    wake_all()
  :: else
  fi;

  left == THREADS;
  assert(!locked && !acting && !doomed && !sleepers && !stragglers);
  assert(arrived == 0 && sleeping == 0 && straggling == 0 && resting == 0);
  atomic {
    do
    :: i < ROUNDS ->
      assert(outcome[i] != complete || returned[i] == PARTIES);
      i++
    :: else -> break
    od
  }
}

init {
  atomic {
    byte thread = 0;
    do
    :: thread < THREADS -> run party(thread); thread++
    :: else -> break
    od;
    run breaker()
  }
}

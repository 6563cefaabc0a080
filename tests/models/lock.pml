// LockCore: the word, the mutex and the wait list of Lock and RLock, and the bed that each of its
// waiters sleeps on.
//
// What is modelled. THREADS threads each acquire the lock ROUNDS times, and the first NEWCOMERS of
// them once more, each time either for as long as it takes or with a timeout that may strike at any
// moment. Whoever comes in last may destroy the lock, released or still held, while the others are
// on their way out of release(). With -DPLAIN_BED, to lie down, to be woken and to get up are one
// step each.
//
// Which step stands for what. Every line of the model that reads or writes something shared is one
// step of one thread, between which any other thread may come. An `atomic` block is one
// read-modify-write, its loop included: a failed compare-exchange changes nothing and looks again.
//
//   step                 source
//   take_free            include/conc/detail/lock_core.hpp: take_fast, try_take;
//                        src/detail/lock_core.cpp: take_free, in take_slow and take_in_line
//   take_or_say          src/detail/lock_core.cpp: take_or_say
//   queue:, again:       take_in_line: the look without the mutex (again:), then from the mutex to
//                        node.sleep() (queue:)
//   gone:, late:         take_in_line, from a sleep that did not end with a wake-up
//   give_fast:           lock_core.hpp: give_fast: its load, then its compare-exchange
//   give_slow:           lock_core.cpp: give_slow: the mutex, the exchange of the word, the list
//   wake                 src/detail/waiting.cpp: ThreadNode::wake_thread
//   to_bed:, lying:      ThreadNode::sleep_on_bed
//   destroy:             ~LockCore
//
// What is left out. Memory is sequentially consistent. Spinning is looking once: a thread may be
// delayed before any step, so its one look may be at any moment at which it would have looked. A
// stop is a timeout, and so is a deadlock; any thread may give way after one. A bed wakes nobody
// without reason. RLock's depth, which only its holder touches. adopt() and take_woken() are in
// condition.pml.
//
// Properties.
//   - One thread at a time is in the lock.
//   - The word is never free and queued without waking, and says queued whenever the mutex is free
//     just when the list holds somebody. While it says waking, one thread is on its way.
//   - No invalid end state, and no step that can be repeated for ever: so every acquire() ends, the
//     one without a timeout with the lock.
//   - No waiter is woken more than twice.
//   - At the end the word is 0 and the list is empty.
//   - Nobody touches the lock after its destructor, nor a node after its thread's acquire().
//
// Mistakes that must be found.
//   MISTAKE_DO_NOT_LOOK        who gives up does not look whether it was taken off the list
//   MISTAKE_FREE_BEFORE_MUTEX  a release frees the word and takes the mutex afterwards
//   MISTAKE_KEEP_WAKING        who was woken and gives up leaves `waking` in the word
//   MISTAKE_NOTIFY_EARLY       a waker notifies without having had the bed's mutex
//
// Size: 3.4 million states with PLAIN_BED, where three threads acquire it once and one of them
// twice; 4.1 million with the beds, where each does so once; 111 thousand in the search for endless
// runs, for two threads with beds. Seconds each, and 0.3 GB. Three threads with beds, one of them
// twice, are tens of millions.

#ifndef THREADS
#define THREADS 3
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef NEWCOMERS
#define NEWCOMERS 1
#endif
#define rounds_of(thread) (ROUNDS + ((thread) < NEWCOMERS))

// ---- The lock

#define queued 1
#define waking 2
#define flags(word) ((word) & 3)
#define owned_by(thread) (((thread) + 1) << 2)
#define is_free(word) ((word) < 4)
#define nobody 255

byte word = 0;
byte mutex = nobody;  // which thread has it
byte list[THREADS];
byte length = 0;
bool alive = true;

// ---- The nodes and beds, one for each thread

#define awake 0
#define asleep 1
#define woken 2

byte state[THREADS];
bool node_alive[THREADS];
bool linked[THREADS];
bool wants_handoff[THREADS];
bool granted[THREADS];
byte bed_mutex[THREADS] = nobody;
bool in_bed[THREADS];

// ---- What the properties ask about

byte inside = 0;       // threads in the lock
byte on_the_way = 0;   // threads that were woken and neither came nor gave up
byte finished = 0;     // threads that will not acquire it any more, as those in the lock know
byte left = 0;         // threads that are out of everything

#define touch_lock() assert(alive)

inline set_word(value) {
  word = value;
  assert(!is_free(word) || flags(word) != queued);
}

inline lock_mutex() {
  atomic { mutex == nobody -> touch_lock(); mutex = self }
}

inline unlock_mutex() {
  atomic {
    touch_lock();
    assert(mutex == self && ((word & queued) != 0) == (length != 0));
    assert(((word & waking) != 0) == (on_the_way != 0) && on_the_way <= 1);
    mutex = nobody
  }
}

inline push_back(thread) {
  list[length] = thread;
  length++;
  linked[thread] = true
}

inline push_front(thread) {
  i = length;
  do
  :: i > 0 -> list[i] = list[i - 1]; i--
  :: else -> break
  od;
  list[0] = thread;
  length++;
  linked[thread] = true
}

inline remove(thread) {
  i = 0;
  do
  :: list[i] != thread -> i++
  :: else -> break
  od;
  length--;
  do
  :: i < length -> list[i] = list[i + 1]; i++
  :: else -> break
  od;
  list[length] = 0;
  i = 0;
  linked[thread] = false
}

// Takes the lock if it is free, clearing the flags in `clear`.
inline take_free(clear) {
  atomic {
    touch_lock();
    if
    :: is_free(word) ->
      set_word((word & ~(clear)) | owned_by(self));
      on_the_way = on_the_way - ((clear) != 0);
      taken = true
    :: else
    fi
  }
}

// Takes it if it is free, else changes the flags.
inline take_or_say(clear, mark) {
  atomic {
    touch_lock();
    taken = is_free(word);
    on_the_way = on_the_way - (((clear) & waking) != 0);
    if
    :: taken -> set_word((word & ~(clear)) | owned_by(self))
    :: else -> set_word((word & ~(clear)) | (mark))
    fi
  }
}

inline wake(thread) {
  atomic {
    assert(node_alive[thread]);
    was = state[thread];
    state[thread] = woken
  }
  if
  :: was == asleep ->
#ifndef MISTAKE_NOTIFY_EARLY
    bed_mutex[thread] == nobody;
#endif
    in_bed[thread] = false
  :: else
  fi
}

proctype user(byte self) {
  byte round = 0;
  byte i = 0;
  byte seen = 0;
  byte next = nobody;
  byte was = 0;
  byte wake_ups = 0;
  bool taken = false;
  bool timed = false;    // it has a timeout
  bool expired = false;  // the bed let it go for that
  bool gave_up = false;
  bool came_back = false;
  bool hands_over = false;

  do
  :: round == rounds_of(self) -> break
  :: round < rounds_of(self) ->
    atomic {
      round++;
      taken = false;
      expired = false;
      if
      :: timed = true
      :: timed = false
      fi
    }

    // ---- acquire()

    take_free(0);
    if
    :: taken -> goto in_the_lock
    :: else
    fi;
    atomic {
      node_alive[self] = true;
      state[self] = awake;
      granted[self] = false;
      gave_up = false;
      came_back = false
    }
queue:
    lock_mutex();
    take_or_say(came_back * waking, queued);
    if
    :: !taken ->
      atomic {
        wants_handoff[self] = came_back;
        if
        :: came_back -> state[self] = awake; push_front(self)
        :: else -> push_back(self)
        fi
      }
    :: else
    fi;
    unlock_mutex();
    if
    :: taken -> goto got_it
    :: else
    fi;

to_bed:
#ifdef PLAIN_BED
    if
    :: state[self] == woken -> goto out_of_bed
    :: state[self] == awake && timed -> goto gone
    fi;
#else
    atomic {
      bed_mutex[self] == nobody -> bed_mutex[self] = self
    }
    atomic {
      if
      :: state[self] == awake -> state[self] = asleep
      :: else
      fi
    }
lying:
    if
    :: atomic { state[self] == woken -> bed_mutex[self] = nobody }
      goto out_of_bed
    :: atomic { state[self] == asleep && timed -> state[self] = awake }
      bed_mutex[self] = nobody;
      goto gone
    :: state[self] == asleep && !expired ->
      atomic { bed_mutex[self] = nobody; in_bed[self] = true }
      atomic {
        (!in_bed[self] || timed) && bed_mutex[self] == nobody ->
        expired = in_bed[self];
        in_bed[self] = false;
        bed_mutex[self] = self
      }
      goto lying
    fi;
#endif

gone:
    lock_mutex();
    if
#ifdef MISTAKE_DO_NOT_LOOK
    :: true ->
      atomic {
        if
        :: linked[self] -> remove(self)
        :: else
        fi
      }
#else
    :: linked[self] ->
      atomic { remove(self) }
#endif
      take_or_say((length == 0) * queued, 0);
      unlock_mutex();
      goto got_it
    :: else ->
      unlock_mutex();
      atomic {
        timed = false;
        expired = false;
        if
        :: gave_up = true
        :: true  // it gave up for a deadlock, which is none now
        fi
      }
      goto to_bed
    fi;

out_of_bed:
    atomic {
      wake_ups++;
      assert(wake_ups <= 2)
    }
    if
    :: granted[self] -> taken = true; goto got_it
    :: else
    fi;
    if
    :: gave_up ->
late:
      lock_mutex();
#ifdef MISTAKE_KEEP_WAKING
      take_or_say(0, 0);
      on_the_way--;
#else
      take_or_say(waking, 0);
#endif
      unlock_mutex();
      goto got_it
    :: else
    fi;
again:
    came_back = true;
    take_free(waking);
    if
    :: taken -> goto got_it
    :: else -> goto queue
    fi;

got_it:
    atomic { node_alive[self] = false; wake_ups = 0 }
    if
    :: !taken ->
      if
      :: round == rounds_of(self) -> finished++
      :: else
      fi;
      goto out
    :: else
    fi;

in_the_lock:
    atomic {
      inside++;
      assert(inside == 1 && word >> 2 == self + 1)
    }
    if
    :: round == rounds_of(self) -> finished++
    :: else
    fi;
    if
    :: finished == THREADS ->
      // All others are out, but for what is left of their release().
      if
      :: inside--; goto destroy
      :: true
      fi
    :: else
    fi;
    inside--;

    // ---- release()

give_fast:
    atomic { touch_lock(); seen = word; assert(!is_free(seen)) }
    if
    :: flags(seen) != queued ->
      atomic {
        touch_lock();
        if
        :: word == seen -> set_word(flags(seen)); goto out
        :: else
        fi
      }
    :: else
    fi;
give_slow:
#ifndef MISTAKE_FREE_BEFORE_MUTEX
    lock_mutex();
#endif
    atomic {
      touch_lock();
      assert(!is_free(word));
      next = nobody;
      seen = flags(word);
      if
      :: seen == queued ->
        next = list[0];
        seen = (length > 1) * queued;
        hands_over = wants_handoff[next];
        if
        :: hands_over = true  // it gives way
        :: true
        fi;
        if
        :: hands_over -> seen = seen | owned_by(next)
        :: else -> seen = seen | waking; on_the_way++
        fi
      :: else
      fi;
      set_word(seen)
    }
#ifdef MISTAKE_FREE_BEFORE_MUTEX
    lock_mutex();
#endif
    if
    :: next != nobody ->
      atomic { remove(next); granted[next] = hands_over; hands_over = false }
    :: else
    fi;
    unlock_mutex();
    if
    :: next != nobody -> wake(next); next = nobody
    :: else
    fi;

out:
    seen = 0
  od;
  atomic { left++; goto end }

destroy:
  lock_mutex();
  unlock_mutex();
  atomic {
    assert(length == 0);
    alive = false;
    left++
  }
end:
  skip
}

init {
  atomic {
    byte thread = 0;
    do
    :: thread < THREADS -> run user(thread); thread++
    :: else -> break
    od
  }
  left == THREADS;
  assert(length == 0 && mutex == nobody && on_the_way == 0);
  assert(word == 0 || !alive)
}

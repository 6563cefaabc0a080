// Condition on a Lock: wait() with a timeout, notify() that moves waiters to the lock's own list.
//
// What is modelled. WAITERS threads each take TURNS tokens in wait_for(a token is there), each time
// either for as long as it takes or with a timeout that may strike at any moment; a thread whose
// time is up without a token goes without. One thread makes as many tokens as may be taken, each
// under the lock, and notifies one waiter or all of them. Now and then it lends the lock to a
// stranger, who releases it while notify() is still at work, as anyone may release a Lock.
//
// Which step stands for what. An `atomic` block that names a mutex is all that the source does
// under that mutex: it is one step here because it changes the word once, and nothing else in it is
// seen without the mutex. Every other line that reads or writes something shared is a step of its
// own.
//
//   step               source
//   acquire:           include/conc/lock.hpp: acquire; src/detail/lock_core.cpp: take_slow
//   in_line:           lock_core.cpp: take_in_line, from the top of its loop
//   give               include/conc/detail/lock_core.hpp: give_fast, its load and then its
//                      compare-exchange; lock_core.cpp: give_slow
//   wait:              src/condition.cpp: wait_within, up to the node's place in the list
//   sleep:             wait_within: node.spin_then_sleep()
//   time_is_up:        wait_within: under the mutex, whether it was notified
//   notified_one:      wait_within: node.sleep_until_woken(), and take_woken() of lock_core.cpp
//   notify:            condition.hpp: notify; condition.cpp: notify_slow
//   adopt:             lock_core.cpp: adopt
//   wake               src/detail/waiting.cpp: ThreadNode::wake_thread
//
// What is left out. Memory is sequentially consistent. How a thread lies down and is woken, and the
// steps of acquire() with a timeout, are in lock.pml. Spinning is looking once, a stop is a
// timeout. RLock differs by its depth only, which nobody but its holder touches.
//
// Properties.
//   - One thread at a time is in the lock, and waits or notifies with it held.
//   - A notification is neither lost nor doubled: as many waits return true as waiters were taken
//     off the list by notify(), and every wait returns true or false.
//   - A waiter that gave up is in no list, and nobody is about to wake it.
//   - No invalid end state, and no step that can be repeated for ever: so every wait without a
//     timeout ends.
//   - At the end the lock's word is 0, both lists are empty, and no token is unaccounted for.
//
// Mistakes that must be found.
//   MISTAKE_FORGET_TO_MARK       notify() does not mark whom it takes off the list
//   MISTAKE_DO_NOT_LOOK          a waiter whose time is up does not look whether it was notified
//   MISTAKE_LEAVE_ABANDONED      adopt() does not look whether the lock was freed meanwhile
//   MISTAKE_QUEUE_AFTER_RELEASE  a waiter gives up the lock and queues afterwards
//
// Size: 0.6 million states; 1.3 million in the search for endless runs. Seconds each, and 0.2 GB.
// With -DWAITERS=3 -DNO_STRANGER, that is, without the stranger, it is 18 million in half a minute.

#ifndef WAITERS
#define WAITERS 2
#endif
#ifndef TURNS
#define TURNS 1
#endif
#define THREADS (WAITERS + 2)
#define NOTIFIER WAITERS
#define STRANGER (WAITERS + 1)

// ---- The lock

#define queued 1
#define waking 2
#define flags(word) ((word) & 3)
#define owned_by(thread) (((thread) + 1) << 2)
#define is_free(word) ((word) < 4)
#define nobody 255

byte word = 0;
byte list[THREADS];
byte length = 0;

// ---- The condition

byte waiters[WAITERS];
byte waiting = 0;

// ---- The nodes, one for each thread

#define not_linked 0
#define in_lock 1
#define in_condition 2
#define moved 3  // on its way from one to the other

bool woken[THREADS];
byte linked[THREADS];
bool wants_handoff[THREADS];
bool granted[THREADS];
bool notified[THREADS];

// ---- What the lock guards, and what the properties ask about

byte tokens = 0;
bool lent = false;
byte taken_tokens = 0;
byte gone_without = 0;
byte inside = 0;
byte waits = 0;
byte waits_true = 0;
byte waits_false = 0;
byte notifications = 0;
byte due[THREADS];  // wake-ups that somebody owes to the node
byte left = 0;

inline set_word(value) {
  word = value;
  assert(!is_free(word) || flags(word) != queued)
}

inline check_lock() {
  assert(((word & queued) != 0) == (length != 0))
}

inline push_back(thread) {
  assert(linked[thread] == not_linked || linked[thread] == moved);
  list[length] = thread;
  length++;
  linked[thread] = in_lock
}

inline push_front(thread) {
  assert(linked[thread] == not_linked);
  i = length;
  do
  :: i > 0 -> list[i] = list[i - 1]; i--
  :: else -> break
  od;
  list[0] = thread;
  length++;
  linked[thread] = in_lock
}

inline pop_front(thread) {
  thread = list[0];
  assert(length != 0 && linked[thread] == in_lock);
  length--;
  i = 0;
  do
  :: i < length -> list[i] = list[i + 1]; i++
  :: else -> break
  od;
  list[length] = 0;
  i = 0;
  linked[thread] = not_linked;
  due[thread]++
}

inline remove_waiter(thread) {
  assert(linked[thread] == in_condition);
  i = 0;
  do
  :: waiters[i] != thread -> i++
  :: else -> break
  od;
  waiting--;
  do
  :: i < waiting -> waiters[i] = waiters[i + 1]; i++
  :: else -> break
  od;
  waiters[waiting] = 0;
  i = 0
}

inline wake(thread) {
  atomic {
    assert(due[thread] == 1);
    due[thread]--;
    woken[thread] = true;
    thread = nobody
  }
}

inline enter() {
  atomic { inside++; assert(inside == 1) }
}

// Releases the lock, whoever holds it; `inside` is counted down by the caller, before.
inline give() {
  seen = word;
  assert(!is_free(seen));
  if
  :: flags(seen) != queued ->
    atomic {
      if
      :: word == seen -> set_word(flags(seen)); given = true
      :: else
      fi
    }
  :: else
  fi;
  if
  :: !given ->
    // give_slow: the lock's mutex
    atomic {
      assert(!is_free(word));
      check_lock();
      if
      :: flags(word) == queued ->
        pop_front(next);
        granted[next] = wants_handoff[next];
        if
        :: granted[next] -> set_word(owned_by(next) | (length != 0) * queued)
        :: else -> set_word(waking | (length != 0) * queued)
        fi
      :: else -> set_word(flags(word))
      fi;
      check_lock()
    }
    if
    :: next != nobody -> wake(next)
    :: else
    fi
  :: else
  fi;
  atomic { given = false; seen = 0 }
}

proctype waiter(byte self) {
  byte turn = 0;
  byte i = 0;
  byte seen = 0;
  byte next = nobody;
  bool given = false;
  bool timed = false;
  bool came_back = false;  // it was woken to come for the lock
  bool in_wait = false;
  bool result = false;

  do
  :: turn == TURNS -> break
  :: turn < TURNS ->
    atomic {
      turn++;
      in_wait = false;
      if
      :: timed = true
      :: timed = false
      fi
    }

acquire:
    atomic {
      if
      :: is_free(word) -> set_word(word | owned_by(self)); goto got_it
      :: else -> woken[self] = false; granted[self] = false; came_back = false
      fi
    }
in_line:
    // The lock's mutex. That the source first looks without it makes no difference to anybody.
    atomic {
      check_lock();
      if
      :: is_free(word) ->
        set_word((word & ~(came_back * waking)) | owned_by(self));
        goto got_it
      :: else ->
        set_word((word & ~(came_back * waking)) | queued);
        wants_handoff[self] = came_back;
        woken[self] = false;
        if
        :: came_back -> push_front(self)
        :: else -> push_back(self)
        fi
      fi
    }
    atomic {
      woken[self];
      if
      :: granted[self] -> goto got_it
      :: else -> came_back = true; goto in_line
      fi
    }

got_it:
    atomic {
      assert(word >> 2 == self + 1);
      assert(linked[self] == not_linked && due[self] == 0);
      granted[self] = false;
      wants_handoff[self] = false;
      woken[self] = false;
      came_back = false
    }
    enter();
    if
    :: in_wait && !result && tokens == 0 ->
      atomic { gone_without++; goto leave }
    :: tokens != 0 ->
      atomic { tokens--; taken_tokens++; goto leave }
    :: else
    fi;

wait:
    atomic { in_wait = true; result = false; waits++; assert(inside == 1) }
#ifdef MISTAKE_QUEUE_AFTER_RELEASE
    inside--;
    give();
#endif
    // The condition's mutex.
    atomic {
      waiters[waiting] = self;
      waiting++;
      linked[self] = in_condition;
      notified[self] = false
    }
#ifndef MISTAKE_QUEUE_AFTER_RELEASE
    inside--;
    give();
#endif

sleep:
    if
    :: woken[self] -> result = true; goto notified_one
    :: !woken[self] && timed -> goto time_is_up
    fi;

time_is_up:
    // The condition's mutex.
    atomic {
#ifndef MISTAKE_DO_NOT_LOOK
      result = notified[self];
#endif
      if
      :: !result && linked[self] != in_condition ->
#ifdef MISTAKE_DO_NOT_LOOK
        waits_false++;
        goto acquire
#else
        assert(false)
#endif
      :: !result && linked[self] == in_condition ->
        remove_waiter(self);
        linked[self] = not_linked;
        assert(due[self] == 0);
        waits_false++;
        goto acquire
      :: else
      fi
    }

notified_one:
    atomic {
      woken[self];
      waits_true++;
      if
      :: granted[self] -> goto got_it
      :: else -> came_back = true; goto in_line
      fi
    }

leave:
    inside--;
    give()
  od;
  left++
}

proctype notifier(byte self) {
  byte made = 0;
  byte i = 0;
  byte seen = 0;
  byte next = nobody;
  byte chain[WAITERS];
  byte chained = 0;
  byte n = 0;
  bool given = false;
  bool lends = false;
  bool came_back = false;

  do
  :: made == WAITERS * TURNS -> break
  :: made < WAITERS * TURNS ->
    atomic {
      made++;
      if
      :: n = 1
      :: n = WAITERS
      fi;
#ifndef NO_STRANGER
      if
      :: lends = true
      :: lends = false
      fi
#endif
    }

acquire:
    atomic {
      if
      :: is_free(word) -> set_word(word | owned_by(self)); goto got_it
      :: else -> woken[self] = false; granted[self] = false; came_back = false
      fi
    }
in_line:
    atomic {
      check_lock();
      if
      :: is_free(word) ->
        set_word((word & ~(came_back * waking)) | owned_by(self));
        goto got_it
      :: else ->
        set_word((word & ~(came_back * waking)) | queued);
        wants_handoff[self] = came_back;
        woken[self] = false;
        if
        :: came_back -> push_front(self)
        :: else -> push_back(self)
        fi
      fi
    }
    atomic {
      woken[self];
      if
      :: granted[self] -> goto got_it
      :: else -> came_back = true; goto in_line
      fi
    }

got_it:
    atomic {
      assert(word >> 2 == self + 1 && linked[self] == not_linked && due[self] == 0);
      granted[self] = false;
      wants_handoff[self] = false;
      woken[self] = false;
      came_back = false
    }
    enter();
    tokens++;

notify:
    // The lock is lent from here on: that is the last that this thread does with it held.
    atomic {
      if
      :: lends -> inside--; lent = true
      :: else
      fi
    }
    if
    :: waiting != 0 ->
      // The condition's mutex.
      atomic {
        do
        :: n != 0 && waiting != 0 ->
          next = waiters[0];
          remove_waiter(next);
          linked[next] = moved;
#ifndef MISTAKE_FORGET_TO_MARK
          notified[next] = true;
#endif
          notifications++;
          chain[chained] = next;
          chained++;
          n--
        :: else -> break
        od;
        next = nobody
      }
    :: else
    fi;
adopt:
    if
    :: chained != 0 ->
      // The lock's mutex.
      atomic {
        check_lock();
        n = 0;
        do
        :: n < chained -> push_back(chain[n]); chain[n] = 0; n++
        :: else -> break
        od;
        chained = 0;
#ifdef MISTAKE_LEAVE_ABANDONED
        word = word | queued;
#else
        if
        :: is_free(word) && (word & waking) == 0 ->
          pop_front(next);
          set_word(waking | (length != 0) * queued)
        :: else -> set_word(word | queued)
        fi;
#endif
        check_lock()
      }
      if
      :: next != nobody -> wake(next)
      :: else
      fi
    :: else
    fi;

    if
    :: lends -> !lent
    :: else ->
      inside--;
      give()
    fi;
    atomic { n = 0; lends = false }
  od;
  left++
}

// Releases what it is lent.
proctype stranger() {
  byte i = 0;
  byte seen = 0;
  byte next = nobody;
  bool given = false;

end:
  do
  :: lent -> give(); lent = false
  od
}

init {
  atomic {
    byte thread = 0;
    do
    :: thread < WAITERS -> run waiter(thread); thread++
    :: else -> break
    od;
    run notifier(NOTIFIER);
    run stranger()
  }
  left == WAITERS + 1;
  assert(word == 0 && length == 0 && waiting == 0);
  assert(waits == waits_true + waits_false && waits_true == notifications);
  assert(taken_tokens + gone_without == WAITERS * TURNS);
  assert(tokens + taken_tokens == WAITERS * TURNS)
}

// nsync's note, which can be notified once and not cleared.

#include <nsync.h>

#include "event_rows.hpp"

namespace {

class Note {
 public:
  Note() : note_(nsync::nsync_note_new(nullptr, nsync::nsync_time_no_deadline)) {}
  ~Note() { nsync::nsync_note_free(note_); }
  Note(const Note&) = delete;
  Note& operator=(const Note&) = delete;

  void set() { nsync::nsync_note_notify(note_); }
  bool is_set() const { return nsync::nsync_note_is_notified(note_) != 0; }
  void wait() const { nsync::nsync_note_wait(note_, nsync::nsync_time_no_deadline); }

 private:
  const nsync::nsync_note note_;
};

[[maybe_unused]] const bool registered = conc::bench::one_shot_event_rows<Note>("_nsync");

}  // namespace

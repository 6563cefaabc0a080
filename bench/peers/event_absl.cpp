// absl::Notification, which can be notified once and not cleared.

#include <absl/synchronization/notification.h>

#include "event_rows.hpp"

namespace {

class Notification {
 public:
  void set() { notification_.Notify(); }
  bool is_set() const { return notification_.HasBeenNotified(); }
  void wait() const { notification_.WaitForNotification(); }

 private:
  absl::Notification notification_;
};

[[maybe_unused]] const bool registered = conc::bench::one_shot_event_rows<Notification>("_absl");

}  // namespace

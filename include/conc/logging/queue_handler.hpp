// QueueHandler: puts records into a queue, for another thread to handle.
#pragma once

#include <conc/detail/machine.hpp>
#include <conc/export.hpp>
#include <conc/logging/handler.hpp>
#include <conc/logging/record.hpp>
#include <conc/queue.hpp>
#include <conc/until.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace conc::logging {

namespace detail {
class QueueOverFork;
}

// What lies between a QueueHandler and a QueueListener. Bounded or not; several handlers and
// several listeners may share one.
using RecordQueue = Queue<OwnedRecord>;

// What becomes of a record for which a bounded queue has no room.
enum class Overflow : std::uint8_t {
  block,        // the logging call waits until there is room
  drop_newest,  // the record is dropped. Python: put_nowait(), without the complaint
  drop_oldest,  // the record that waits longest is dropped
};

// The thread that logs copies the record into the queue and goes on; formatting and writing are
// left to the QueueListener:
//
//   const auto queue = std::make_shared<logging::RecordQueue>(10000);
//   logging::QueueListener listener(queue, {file});
//   listener.start();
//   logging::get_logger().add_handler(
//       std::make_shared<logging::QueueHandler>(queue, logging::Overflow::drop_oldest));
//
// The handler formats nothing; its formatter is not used. Even the message, if it is made of
// numbers and text, is formatted by whoever looks at the record first, behind the queue most often.
// It holds no lock while it puts.
//
// What a listener's own handlers log may come back here. A listener's thread never waits for room
// in a queue, since that could be its own, or that of a listener which waits for it; its records
// are dropped then, as with drop_newest.
//
// flush() waits, up to ten seconds, until a running listener has handled all records of the queue.
// close() does the same. Afterwards, since the program most often ends, a record never waits for
// room, and the logging call waits up to a second until a running listener has handled it.
//
// In the child of a fork the queue is empty, since what was in it is the parent's, and the
// listener's thread is gone: what the child logs goes to the listener's handlers at once, in the
// thread that logs, until the child starts a listener for the queue.
//
// Python: logging.handlers.QueueHandler
class CONC_LOGGING_EXPORT QueueHandler : public Handler {
 public:
  // Throws std::invalid_argument when `queue` is null; std::bad_alloc.
  explicit QueueHandler(std::shared_ptr<RecordQueue> queue, Overflow overflow = Overflow::block);
  ~QueueHandler() override;

  using Handler::flush;

  // Waits until the queue is empty and its records are handled, those that come meanwhile included.
  // Gives up as `until` says; false then, and at once in the thread of a listener of this queue.
  // Without anybody who empties the queue, that is the only way it ends.
  // Throws nothing. Synchronizes: with the listener, which has left its handlers.
  [[nodiscard]] bool flush(Until until);

  // How many records were dropped by the overflow policy. Together with those that the listener
  // handled and those in the queue that is all that were logged, but for lost().
  [[nodiscard]] std::uint64_t dropped() const noexcept override;

  [[nodiscard]] const std::shared_ptr<RecordQueue>& queue() const noexcept { return queue_; }
  [[nodiscard]] Overflow overflow() const noexcept { return overflow_; }
  [[nodiscard]] std::string description() const override;

 protected:
  // Throws ShutDown when the queue was shut down, unless the policy is to drop the newest;
  // std::bad_alloc.
  void emit(const LogRecord& record, std::string_view line) override;
  void on_flush() override;
  void on_close() override;

 private:
  [[nodiscard]] bool try_keep(const detail::Draft& draft) override;
  void put(OwnedRecord&& kept);
  void drop() noexcept;
  void put_over_oldest(OwnedRecord&& record);

  const std::shared_ptr<RecordQueue> queue_;
  std::unique_ptr<detail::QueueOverFork> over_fork_;
  const Overflow overflow_;
  conc::detail::Atomic<bool> closed_{false};
  conc::detail::Atomic<std::uint64_t> dropped_{0};
};

}  // namespace conc::logging

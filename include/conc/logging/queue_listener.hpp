// QueueListener: a thread that hands the records of a queue to handlers.
#pragma once

#include <conc/export.hpp>
#include <conc/logging/handler.hpp>
#include <conc/logging/queue_handler.hpp>

#include <memory>
#include <vector>

namespace conc::logging {

struct QueueListenerOptions {
  // Whether a record goes only to the handlers whose level allows it.
  bool respect_handler_level = false;
};

// Between start() and stop() a thread takes records out of the queue, in order, and gives each to
// every handler. The handlers see the record as it was made: time and thread are those of the
// logging call. After each record the thread calls task_done() on the queue.
//
// Who logs in quick succession does not wake the thread each time: for some milliseconds after the
// last record it looks for more by itself, so a record of an unbounded queue may lie there for up to
// two. Behind a bounded queue, which might get full meanwhile, the thread is woken at once.
//
// The thread is a daemon and does not keep the process from ending; at exit, logging::shutdown()
// waits until it has handled what the QueueHandlers of the loggers had put.
//
// Every member may be called by any thread.
//
// Python: logging.handlers.QueueListener
class CONC_LOGGING_EXPORT QueueListener {
 public:
  // Throws std::invalid_argument when `queue` or a handler is null; std::bad_alloc.
  QueueListener(std::shared_ptr<RecordQueue> queue, std::vector<std::shared_ptr<Handler>> handlers,
                QueueListenerOptions options = {});

  // stop(). In the listener's own thread, where a handler may have the last reference to it, nobody
  // waits: when the handler has returned, the thread handles the records that are in the queue,
  // flushes the handlers, and ends. It keeps the queue and the handlers alive until then.
  ~QueueListener();

  QueueListener(const QueueListener&) = delete;
  QueueListener& operator=(const QueueListener&) = delete;

  // Starts the thread.
  // Throws UsageError when it is started already; std::system_error when there is no thread to be
  // had, and the listener may be started again.
  // Python: start(), RuntimeError since 3.14
  void start();

  // Handles the records that are in the queue now, ends the thread, and flushes the handlers.
  // Blocks until then. Nothing happens when it is not started; afterwards it may be started again.
  // What the handlers' flush() throws is written to stderr.
  // Throws UsageError in the listener's own thread.
  // Synchronizes: what the handlers did is visible to the caller.
  // Python: stop()
  void stop();

  // Whether it is started and not stopped.
  [[nodiscard]] bool running() const;

 private:
  class Drain;
  const std::shared_ptr<Drain> drain_;
};

}  // namespace conc::logging

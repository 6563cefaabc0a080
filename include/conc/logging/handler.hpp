// Handler: the base of everything that takes records to a place. NullHandler: takes them nowhere.
#pragma once

#include <conc/detail/machine.hpp>
#include <conc/export.hpp>
#include <conc/lock.hpp>
#include <conc/logging/filter.hpp>
#include <conc/logging/formatter.hpp>
#include <conc/logging/level.hpp>
#include <conc/logging/record.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace conc::logging {

namespace detail {
class Draft;
}

// A handler is shared by the loggers it was added to, which keep it alive. Every member may be
// called by any thread at any time; level, formatter and filters may change while others log.
//
// To write one, derive and override emit():
//
//   class Shout : public logging::Handler {
//     void emit(const logging::LogRecord&, std::string_view line) override { horn(line); }
//   };
//
// What emit(), a formatter or a filter throws never reaches the program's logging call. It is
// written to stderr, at most once a second for each handler, and the record is counted in lost().
// The count is said as well, once more when records arrive again, and by close() and the destructor
// at the latest. Other handlers still get the record.
//
// What they log themselves comes to every handler but those that the thread is inside of, so it
// cannot go round for ever. While a thread is in emit() such a record waits until the handler's
// lock is free again, so two handlers that log to each other cannot deadlock.
//
// Over fork() the handlers' locks are taken, for two seconds at most, so that the child finds every
// handler free and whole and can log, whatever other threads did just then.
//
// Python: logging.Handler
class CONC_LOGGING_EXPORT Handler {
 public:
  virtual ~Handler();

  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;

  // Loggers pass on the records of at least this level. It is Level::notset at first.
  void set_level(Level level) noexcept {
    level_.store(static_cast<int>(level), std::memory_order_relaxed);
  }
  [[nodiscard]] Level level() const noexcept {
    return static_cast<Level>(level_.load(std::memory_order_relaxed));
  }

  // Lines are made by `formatter`; null brings back the bare message.
  // Throws std::bad_alloc.
  void set_formatter(std::shared_ptr<const Formatter> formatter);
  // Throws std::bad_alloc.
  [[nodiscard]] std::shared_ptr<const Formatter> formatter() const;

  // A record must pass every filter; the same filter twice is once.
  // Throws std::invalid_argument for null; std::bad_alloc.
  void add_filter(std::shared_ptr<const Filter> filter);
  // Nothing happens when the filter is not there. Throws std::bad_alloc.
  void remove_filter(const std::shared_ptr<const Filter>& filter);

  // Takes the record where it belongs, whatever its level, if it passes the filters. Blocks as
  // emit() does, and while another thread is in it.
  // Returns whether the record passed the filters, be it lost afterwards.
  // Cost: two atomic read-modify-writes, for the lock, beside formatting and emit(). A FileHandler
  // needs the lock only when it begins a block or writes to the file.
  // Python: handle()
  bool handle(const LogRecord& record) noexcept;

  // Hands everything that the handler still holds to its place. Does nothing while the thread is
  // flushing or closing this handler already, as with handlers that pass records on in a circle.
  // Not to be called from emit().
  // Throws what the handler's kind says.
  // Python: flush()
  void flush();

  // Flushes and gives back files and connections, even if flushing fails. May be called again. What
  // becomes of later records, the handler's kind says. Does nothing while the thread is closing
  // this handler already, and does not flush while the thread is flushing it. Not to be called from
  // emit(); but emit() may end the program with exit(), which closes this handler like the others.
  // What the thread logs after that is lost.
  // Throws what the handler's kind says.
  // Python: close()
  void close();

  // How many records did not arrive, because of an error or because the handler logged them itself.
  [[nodiscard]] std::uint64_t lost() const noexcept;

  // How many records the handler let go because it had no room for them: a full queue, say. 0 for
  // handlers that have room for all.
  [[nodiscard]] virtual std::uint64_t dropped() const noexcept;

  // What the handler is, for messages: `FileHandler "/var/log/app.log"`. The name of its class if
  // the handler does not say better. Called with and without the handler's lock.
  [[nodiscard]] virtual std::string description() const;

 protected:
  // What emit() is given.
  enum class Wants : std::uint8_t {
    nothing,  // it is never called
    record,   // the record alone; nothing is formatted
    shared,   // the same, but emit(), on_flush() and on_close() are called without the handler's
              // lock, by several threads at once
    line,     // the record, and the line that the formatter made of it
  };

  explicit Handler(Wants wants = Wants::line, std::string terminator = {});

  // Takes one record to its place. `line` is the formatted record with terminator() behind it.
  // Called with the handler's lock held, so by one thread at a time. May throw.
  virtual void emit(const LogRecord& record, std::string_view line) = 0;

  // Do the work of flush() and close(), with the handler's lock held. Nothing by default.
  virtual void on_flush();
  virtual void on_close();

  // Says on stderr, at most once a second for each handler, that something went wrong although no
  // record was lost.
  void complain(std::string_view what) const noexcept;

  // Counts records as lost whose emit() had returned. `said`: the derived class writes to stderr
  // how many were lost so far; otherwise that is said in time.
  void count_lost(std::uint64_t records, bool said = false) const noexcept;

  // Says how many records were lost, if some were since that was said. The destructor of this class
  // does so too, but no longer knows the description() of a derived one.
  void say_losses() const noexcept;

  // Whether close() calls on_flush() before on_close(): yes by default.
  [[nodiscard]] virtual bool flushes_on_close() const noexcept;

  // What ends a line. Throw std::bad_alloc.
  void set_terminator(std::string terminator);
  [[nodiscard]] std::string terminator() const;

  // The lock that emit(), on_flush() and on_close() run under, for further members of a derived
  // class. A thread that takes it there must not log before it has given it back: this handler
  // would wait for the lock for ever. It may fork; the child has the lock then as well.
  [[nodiscard]] Lock& lock() const noexcept;

  // Has shutdown() close `handler`. For handlers that pass records on to others; a logger does it
  // for its own.
  // Throws std::bad_alloc.
  static void enlist(const std::shared_ptr<Handler>& handler);

 private:
  friend class FileHandler;
  friend class Logger;
  friend class QueueListener;
  struct State;
  using Describe = std::string (*)(const Handler& handler);

  bool handle(detail::Draft& draft) noexcept;

  // Takes the record to its place as it is, finished or not, if it can; emit() is called otherwise,
  // with a finished one. For handlers that want Wants::shared. May throw, as emit() does.
  [[nodiscard]] virtual bool try_keep(const detail::Draft& draft);

  // Takes the record to its place without the handler's lock if it can; emit() is called otherwise.
  [[nodiscard]] virtual bool try_emit(const LogRecord& record, std::string_view line) noexcept;

  // Whether the record that emit() was just given, with the lock held still, has not arrived yet.
  // Whoever says so calls catch_up() when it has.
  [[nodiscard]] virtual bool holds_back() const noexcept;

  // Counts a record that did not arrive, and says so if it is time to.
  void lose(std::string_view what, std::string_view why) const noexcept;

  // Whether to complain now; it is not time to for a second then.
  [[nodiscard]] bool may_complain() const noexcept;

  // Does what say_losses() does if it is time to, since a record has arrived. `describe` is called
  // instead of description(), which must not be while the handler may be about to be destroyed.
  void catch_up(Describe describe) const noexcept;
  void say_losses_as(Describe describe) const noexcept;

  conc::detail::Atomic<int> level_{static_cast<int>(Level::notset)};
  const std::unique_ptr<State> state_;
};

// Takes records nowhere. A library puts one on its logger, so that without any configuration by the
// program its warnings do not go to stderr.
// Python: logging.NullHandler
class CONC_LOGGING_EXPORT NullHandler final : public Handler {
 public:
  NullHandler();
  ~NullHandler() override;

 private:
  void emit(const LogRecord& record, std::string_view line) override;
};

// Flushes and closes every handler that was ever added to a logger, or given to another handler or
// a QueueListener to pass records on to, and is still alive, the youngest first. Errors are written
// to stderr. Runs by itself when the program exits; records logged after that, by destructors of
// globals for instance, still arrive.
// Python: logging.shutdown()
CONC_LOGGING_EXPORT void shutdown() noexcept;

}  // namespace conc::logging

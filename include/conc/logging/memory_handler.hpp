// MemoryHandler: keeps records until one matters, and hands them all on then.
#pragma once

#include <conc/export.hpp>
#include <conc/logging/handler.hpp>
#include <conc/logging/record.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace conc::logging {

struct MemoryOptions {
  Level flush_level = Level::error;  // such a record, or a worse one, sends all on
  // Whether close() sends on what is kept; otherwise it is dropped without counting. Python:
  // flushOnClose
  bool flush_on_close = true;
};

// Keeps copies of records, and hands all of them to its target, in order, as soon as there are
// `capacity` of them or one comes that has the flush level. So the debug records before an error
// are in the file, and others never get there.
//
// The logging call that brings the record that sends all on does that work, and returns when it is
// done. It holds no lock meanwhile. Other threads' records are kept as long as there is room, and
// wait for it otherwise.
//
// Without a target the records stay, the last `capacity` of them; those that make room are counted
// in dropped(). The target's level does not matter, as with Handler::handle().
//
// What is kept for a target when the handler is destroyed without close() counts as lost, unless
// close() would drop it too. After close() each record goes on to the target at once. The child of
// a fork begins with nothing kept: that is the parent's.
//
// Python: logging.handlers.MemoryHandler. There the handler grows without a target, and close()
// takes the target away.
class CONC_LOGGING_EXPORT MemoryHandler : public Handler {
 public:
  // Throws std::invalid_argument when `capacity` is 0; std::bad_alloc.
  explicit MemoryHandler(std::size_t capacity, std::shared_ptr<Handler> target = nullptr,
                         MemoryOptions options = {});
  ~MemoryHandler() override;

  // Where records go from now on; null: nowhere.
  // Throws std::invalid_argument when it is this handler; std::bad_alloc.
  // Python: setTarget()
  void set_target(std::shared_ptr<Handler> target);
  [[nodiscard]] std::shared_ptr<Handler> target() const;

  // How many records it keeps just now.
  [[nodiscard]] std::size_t size() const;

  [[nodiscard]] std::size_t capacity() const noexcept;
  [[nodiscard]] std::uint64_t dropped() const noexcept override;

 protected:
  // Throws std::bad_alloc.
  void emit(const LogRecord& record, std::string_view line) override;
  // Hands on what is kept, and waits for a thread that is just doing so. Flushes the target, and
  // throws what that throws.
  void on_flush() override;
  [[nodiscard]] bool flushes_on_close() const noexcept override;
  void on_close() override;

 private:
  class Store;
  const std::unique_ptr<Store> store_;
};

}  // namespace conc::logging

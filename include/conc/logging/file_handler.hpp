// FileHandler: writes lines to a file.
#pragma once

#include <conc/export.hpp>
#include <conc/logging/handler.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace conc::logging {

namespace detail {
class LateFiles;
}

enum class FileMode : std::uint8_t {
  append,    // Python: "a"
  truncate,  // what was in the file is gone once it is opened for the first time. Python: "w"
};

// When records are handed to the kernel by write(2). From then on they survive whatever happens to
// the process, kill -9 included; they do not survive a crash of the machine before the kernel has
// written them to disk.
enum class Flush : std::uint8_t {
  warnings,  // from Level::warning up before the logging call returns, with all that came before
             // them; the rest in blocks, within one second
  every_record,  // each before the logging call returns. Python: always so
};

struct FileOptions {
  FileMode mode = FileMode::append;
  bool delay = false;  // open the file when the first record comes
  Flush flush = Flush::warnings;
};

// Durability: as FileOptions::flush says. What is held back is written by flush(), by close() and
// the destructor, and at the program's exit; from close() and from exit on nothing is held back. It
// is lost when the process ends otherwise, by _exit() or a signal, unless the program has called
// flush_on_crash(). The child of a fork has none of it, since the parent writes it. Records come to
// the file in their order, so what is lost is what came last.
//
// A kill in the middle of a write may leave a part of a line, since Linux then stops between two
// pages of the file; whoever opens the file next with a FileHandler begins a new line.
//
// A thread of the library's writes in time for all handlers of the process. While a write to one
// file takes long, to a pipe that nobody reads for instance, another thread writes what the others
// hold back; so there is one more for each file that is stuck. When the system has no thread to
// give, the others wait, or each record is written before the logging call returns. The program's
// exit waits for a file that is stuck; what the others hold back is written meanwhile.
//
// The file is opened for appending whatever the mode, so several processes may share it. It is
// closed on exec.
//
// A full disk does not stop the program: the records that were to be written count as lost, which
// is said on stderr, and the next ones are tried again. When only a part of a line went to the
// file, the next record starts a new line.
//
// Cost: a record that is held back takes no lock, but an atomic addition and a copy of its line, so
// threads log side by side; about every 32 KiB one of them writes, and the others wait meanwhile.
// Classes that are derived from this one take the handler's lock for each record.
//
// Python: logging.FileHandler
class CONC_LOGGING_EXPORT FileHandler : public Handler {
 public:
  // Opens the file, unless delayed. A relative path counts from the directory that is current now.
  // Throws std::invalid_argument when the path has a null character; std::system_error that names
  // the file when it cannot be opened; std::bad_alloc.
  explicit FileHandler(const std::filesystem::path& path, FileOptions options = {});
  ~FileHandler() override;

  // Absolute.
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  // What ends each line: "\n" at first. Takes effect with the next record.
  // Throws std::bad_alloc.
  using Handler::set_terminator;

  [[nodiscard]] std::string description() const override;

 protected:
  // Opens the file if it is not open: the first time of a delayed handler, or after close(), and
  // then for appending.
  // Throws std::system_error that names the file.
  void emit(const LogRecord& record, std::string_view line) override;
  // Throws std::system_error.
  void on_flush() override;
  void on_close() override;

  // For classes that change the file now and then; with the lock held.

  // Opens the file if it is not open. Throws std::system_error.
  void open();
  // Writes what is held back and closes it; the next record, or open(), opens what has its name
  // then. Throws std::system_error.
  void shut();
  // The open file's number of the operating system; -1 when none is open.
  [[nodiscard]] int descriptor() const noexcept { return fd_; }
  // How many bytes are held back.
  [[nodiscard]] std::size_t held_back() const noexcept;

 private:
  class Buffer;
  friend class detail::LateFiles;

  // A delayed handler writes to that file, which is opened already, instead of opening it.
  // Throws std::bad_alloc.
  void take(int fd);
  [[nodiscard]] bool try_emit(const LogRecord& record, std::string_view line) noexcept final;
  [[nodiscard]] bool holds_back() const noexcept final;
  [[nodiscard]] bool ends_in_a_line() const;
  [[nodiscard]] std::size_t write(std::string_view text) noexcept;
  void write_line(std::string_view line);
  [[nodiscard]] std::size_t write_buffer() noexcept;
  [[noreturn]] void fail(const char* what) const;

  const std::filesystem::path path_;
  // Guarded by lock().
  int fd_ = -1;        // -1: not open
  bool truncate_;      // when it is opened next
  bool torn_ = false;  // the file ends with a part of a line
  bool closed_ = false;
  const std::unique_ptr<Buffer> buffer_;  // null: every record is written at once
};

}  // namespace conc::logging

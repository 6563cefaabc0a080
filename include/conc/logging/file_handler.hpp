// FileHandler: writes lines to a file.
#pragma once

#include <conc/export.hpp>
#include <conc/logging/handler.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace conc::logging {

enum class FileMode : std::uint8_t {
  append,    // Python: "a"
  truncate,  // what was in the file is gone once it is opened for the first time. Python: "w"
};

struct FileOptions {
  FileMode mode = FileMode::append;
  bool delay = false;  // open the file when the first record comes
};

// Durability: each record is handed to the kernel by a write(2) of its own before the logging call
// returns. From then on it survives whatever happens to the process, kill -9 included; it does not
// survive a crash of the machine before the kernel has written it to disk. A kill in the middle of
// the call may leave a part of its line, since Linux then stops between two pages of the file;
// whoever opens the file next with a FileHandler begins a new line. Nothing is buffered, so flush()
// has nothing to do.
//
// The file is opened for appending whatever the mode, so several processes may share it. It is
// closed on exec.
//
// A full disk does not stop the program: the record counts as lost, which is said on stderr, and
// the next one is tried again. When only a part of a line went to the file, the next record starts
// a new line.
//
// Python: logging.FileHandler
class CONC_LOGGING_EXPORT FileHandler : public Handler {
 public:
  // Opens the file, unless delayed. A relative path counts from the directory that is current now.
  // Throws std::system_error that names the file when it cannot be opened; std::bad_alloc.
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
  void on_close() override;

  // For classes that change the file now and then; with the lock held.

  // Opens the file if it is not open. Throws std::system_error.
  void open();
  // Closes it; the next record, or open(), opens what has its name then. Throws std::system_error.
  void shut();
  // The open file's number of the operating system; -1 when none is open.
  [[nodiscard]] int descriptor() const noexcept { return fd_; }

 private:
  [[nodiscard]] bool ends_in_a_line() const;
  void write(std::string_view text);
  [[noreturn]] void fail(const char* what) const;

  const std::filesystem::path path_;
  // Guarded by lock().
  int fd_ = -1;        // -1: not open
  bool truncate_;      // when it is opened next
  bool torn_ = false;  // the file ends with a part of a line
};

}  // namespace conc::logging

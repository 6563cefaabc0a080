// RotatingFileHandler: a file that does not grow beyond a size.
#pragma once

#include <conc/export.hpp>
#include <conc/logging/file_handler.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace conc::logging {

struct RotatingOptions {
  using Namer = std::function<std::filesystem::path(const std::filesystem::path&)>;

  std::uint64_t max_bytes = 0;   // the file stays below it; 0: never rolled over
  std::size_t backup_count = 0;  // how many old files are kept; 0: never rolled over
  bool delay = false;            // open the file when the first record comes
  Flush flush = Flush::warnings;
  // Makes the name of an old file from the one it would have, "/var/log/app.log.1". Called with the
  // handler's lock held. Empty: it is taken as it is. Python: the attribute of this name
  Namer namer = {};
};

// Before a record would make app.log as large as max_bytes, app.log is renamed app.log.1, and what
// was app.log.1 is app.log.2 now, and so on; the last of backup_count old files goes. A record that
// is larger by itself has a file of its own.
//
// What is not a regular file, /dev/null or a pipe, is never rolled over. The file is always opened
// for appending. Several processes must not share it: each would rename it under the other.
//
// A file that somebody has deleted is made anew when it would be rolled over, and the old ones stay
// where they are. When a file cannot be renamed, that is said on stderr, and records go on into the
// file as it is; the next one tries again.
//
// Durability: as FileHandler.
//
// Python: logging.handlers.RotatingFileHandler
class CONC_LOGGING_EXPORT RotatingFileHandler : public FileHandler {
 public:
  // Throws std::system_error that names the file when it cannot be opened; std::bad_alloc.
  RotatingFileHandler(const std::filesystem::path& path, RotatingOptions options);
  ~RotatingFileHandler() override;

  // Rolls over now, whatever the size, be it 0. Does nothing to a file that is not regular, or when
  // either option is 0.
  // Throws std::system_error when a file cannot be renamed or the new one not be opened.
  // Python: doRollover()
  void roll();

  [[nodiscard]] std::string description() const override;

 protected:
  void emit(const LogRecord& record, std::string_view line) override;

 private:
  [[nodiscard]] bool rolls() const noexcept;
  [[nodiscard]] bool due(std::size_t next) const;
  [[nodiscard]] std::filesystem::path backup(std::size_t number) const;
  void rotate();

  const RotatingOptions options_;
};

}  // namespace conc::logging

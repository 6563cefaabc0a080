// TimedRotatingFileHandler: a new file each hour, day or week.
#pragma once

#include <conc/export.hpp>
#include <conc/logging/file_handler.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace conc::logging {

struct TimedRotatingOptions {
  // How long a period is, in capitals or not:
  //   "S" "M" "H" "D"    so many seconds, minutes, hours, days
  //   "midnight"         days that end at midnight
  //   "W0" ... "W6"      weeks that end with the Monday, ..., with the Sunday, at midnight
  std::string when = "H";
  std::uint32_t interval = 1;    // how many of them are a period
  std::size_t backup_count = 0;  // how many old files are kept; 0: all
  bool delay = false;            // open the file when the first record comes
  Flush flush = Flush::warnings;
  bool utc = false;  // midnight, and the names of old files, in UTC; else in local time
};

// The first record of a new period goes to a new file; the old one gets the time at which its
// period began behind its name: app.log.2024-05-31_18 for hours, app.log.2024-05-31 for days and
// weeks, app.log.2024-05-31_18-07 for minutes, app.log.2024-05-31_18-07-59 for seconds. Old files
// beyond backup_count are deleted, those with the earliest names.
//
// The time that counts is that of the record. So a record that has waited in a queue goes to the
// file of its time as long as that is the current one, and no clock is read. Periods of seconds to
// days count from the last change of the file that is there when the handler is made, or else from
// the first record.
//
// What is not a regular file is never rolled over; one that somebody has deleted is made anew with
// the next period. When there is a file of the old one's name already, as may happen when clocks
// are set back, the records stay together for another period: nothing is overwritten. When the file
// cannot be renamed, that is said on stderr, and records go on into it for another period. Several
// processes must not share it.
//
// Durability: as FileHandler; but records of a period's last two seconds are written at once, so
// that the file's last change is in its period. That is not so for one that came late through a
// queue.
//
// Python: logging.handlers.TimedRotatingFileHandler, without atTime
class CONC_LOGGING_EXPORT TimedRotatingFileHandler : public FileHandler {
 public:
  // Throws std::invalid_argument for another `when` and for an interval that is not
  // from 1 to 100000; std::system_error that
  // names the file when it cannot be opened; std::bad_alloc.
  TimedRotatingFileHandler(const std::filesystem::path& path, const TimedRotatingOptions& options);
  ~TimedRotatingFileHandler() override;

  [[nodiscard]] std::string description() const override;

 protected:
  void emit(const LogRecord& record, std::string_view line) override;

 private:
  class Schedule;

  void rotate();
  void delete_oldest() const;

  const std::unique_ptr<Schedule> schedule_;
  const std::size_t backup_count_;
};

}  // namespace conc::logging

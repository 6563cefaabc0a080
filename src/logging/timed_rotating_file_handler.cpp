#include <conc/logging/timed_rotating_file_handler.hpp>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <stdexcept>
#include <system_error>
#include <vector>

#include <sys/stat.h>

#include "calendar.hpp"
#include "complaint.hpp"

namespace conc::logging {

namespace fs = std::filesystem;

// When periods end, and what they are called.
class TimedRotatingFileHandler::Schedule {
 public:
  explicit Schedule(const TimedRotatingOptions& options)
      : zone_(options.utc ? detail::Zone::utc : detail::Zone::local),
        interval_(options.interval),
        kind_(kind_of(options.when)) {
    if (interval_ == 0 || interval_ > most) fail("the interval must be from 1 to 100000");
  }

  // Whether a record of that time belongs to a new period. The first one begins the first.
  [[nodiscard]] bool over(std::int64_t time) {
    if (!begun_) begin(time);
    return time >= end_;
  }

  // Whether what is held back at that time may be written after the period.
  [[nodiscard]] bool ends_soon(std::int64_t time) const {
    constexpr std::int64_t longest_held_back = 2;  // with a second for a machine that is busy
    return time >= end_ - longest_held_back;
  }

  // The period that begins now, or that was going on at that time.
  void begin(std::int64_t time) {
    begun_ = true;
    if (kind_.seconds != 0) {
      end_ = time + interval_ * kind_.seconds;
      return;
    }
    std::tm day = detail::date_and_time(time, zone_);
    constexpr int week = 7;
    const int interval = static_cast<int>(interval_);
    int days = interval;
    if (kind_.weekday >= 0) {
      const int today = (day.tm_wday + week - 1) % week;  // 0 is Monday
      days = (kind_.weekday - today + week) % week + 1 + (interval - 1) * week;
    }
    end_ = midnight(day, days);
  }

  // What is put behind the name of the file whose period is over.
  [[nodiscard]] std::string suffix() const {
    std::int64_t start = end_ - interval_ * kind_.seconds;
    if (kind_.seconds == 0) {
      const int days = static_cast<int>(interval_) * (kind_.weekday >= 0 ? 7 : 1);
      start = midnight(detail::date_and_time(end_, zone_), -days);
    }
    const std::tm parts = detail::date_and_time(start, zone_);
    char text[64];
    return {text, detail::write_time(text, sizeof text, kind_.format, parts)};
  }

  // Whether that could be a suffix().
  [[nodiscard]] bool is_suffix(std::string_view text) const {
    const std::string_view pattern = kind_.pattern;
    return std::equal(text.begin(), text.end(), pattern.begin(), pattern.end(),
                      [](char c, char p) { return p == '0' ? '0' <= c && c <= '9' : c == p; });
  }

 private:
  struct Kind {
    std::int64_t seconds;  // 0: the calendar decides
    int weekday;           // of the week's last day, 0 is Monday; -1: days
    const char* format;
    const char* pattern;  // of what the format makes; 0 stands for a digit
  };

  static Kind kind_of(const std::string& when) {
    constexpr const char* day_format = "%Y-%m-%d";
    constexpr const char* day_pattern = "0000-00-00";
    std::string name = when;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return 'a' <= c && c <= 'z' ? static_cast<char>(c - 32) : c; });
    if (name == "S") return {1, -1, "%Y-%m-%d_%H-%M-%S", "0000-00-00_00-00-00"};
    if (name == "M") return {60, -1, "%Y-%m-%d_%H-%M", "0000-00-00_00-00"};
    if (name == "H") return {3600, -1, "%Y-%m-%d_%H", "0000-00-00_00"};
    if (name == "D") return {86400, -1, day_format, day_pattern};
    if (name == "MIDNIGHT") return {0, -1, day_format, day_pattern};
    if (name.size() == 2 && name[0] == 'W' && '0' <= name[1] && name[1] <= '6') {
      return {0, name[1] - '0', day_format, day_pattern};
    }
    fail("\"" + when + "\" is no period; there are S, M, H, D, midnight and W0 to W6");
  }

  [[noreturn]] static void fail(const std::string& why) {
    throw std::invalid_argument("conc::logging::TimedRotatingFileHandler: " + why + ".");
  }

  // The midnight with which the day begins that lies so many days after `day`.
  [[nodiscard]] std::int64_t midnight(std::tm day, int days) const {
    day.tm_mday += days;
    day.tm_hour = day.tm_min = day.tm_sec = 0;
    return detail::seconds_of(day, zone_);
  }

  static constexpr std::int64_t most = 100'000;

  const detail::Zone zone_;
  const std::int64_t interval_;
  const Kind kind_;
  bool begun_ = false;
  std::int64_t end_ = 0;  // of the current period, in seconds since 1970
};

TimedRotatingFileHandler::TimedRotatingFileHandler(const fs::path& path,
                                                   const TimedRotatingOptions& options)
    : FileHandler(path, {.delay = true, .flush = options.flush}),
      schedule_(std::make_unique<Schedule>(options)),
      backup_count_(options.backup_count) {
  struct ::stat file {};
  if (::stat(this->path().c_str(), &file) == 0) schedule_->begin(file.st_mtime);
  if (!options.delay) open();
}

TimedRotatingFileHandler::~TimedRotatingFileHandler() = default;

std::string TimedRotatingFileHandler::description() const {
  return "TimedRotating" + FileHandler::description();
}

void TimedRotatingFileHandler::emit(const LogRecord& record, std::string_view line) {
  using std::chrono::floor;
  using std::chrono::seconds;
  const std::int64_t time = floor<seconds>(record.created.time_since_epoch()).count();
  if (schedule_->over(time)) {
    try {
      rotate();
    } catch (...) {
      complain("the file could not be rolled over: " + detail::describe_current_exception());
    }
    schedule_->begin(time);
  }
  FileHandler::emit(record, line);
  if (!schedule_->ends_soon(time)) return;
  // Held back it would be written in the next period, and a restart take the file for one of that.
  try {
    FileHandler::on_flush();
  } catch (...) {
    complain(detail::describe_current_exception());
  }
}

void TimedRotatingFileHandler::rotate() {
  const fs::file_status status = fs::status(path());
  if (!fs::exists(status)) return shut();  // deleted: the next record makes it anew
  if (!fs::is_regular_file(status)) return;
  fs::path old = path();
  old += '.';
  old += schedule_->suffix();
  if (fs::exists(fs::symlink_status(old))) return;
  fs::rename(path(), old);
  shut();
  if (backup_count_ != 0) delete_oldest();
}

void TimedRotatingFileHandler::delete_oldest() const {
  const std::string begin = path().filename().string() + ".";
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(path().parent_path())) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(begin) && fs::is_regular_file(entry.symlink_status()) &&
        schedule_->is_suffix(std::string_view(name).substr(begin.size()))) {
      old.push_back(entry.path());
    }
  }
  std::sort(old.begin(), old.end());  // the digits of a time order as the time does
  for (std::size_t i = 0; i + backup_count_ < old.size(); ++i) {
    std::error_code why;
    fs::remove(old[i], why);
    if (why) complain("cannot delete \"" + old[i].string() + "\": " + why.message());
  }
}

}  // namespace conc::logging

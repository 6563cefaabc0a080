// What report() is told during a test.
#pragma once

#include <conc/hooks.hpp>

#include <mutex>
#include <string>
#include <vector>

namespace conc::test {

// While the object lives. One at a time.
class Reports {
 public:
  Reports() {
    all() = {};
    conc::set_report_hook([](const conc::Report& news) {
      const std::lock_guard lock(mutex());
      const std::string channel = std::string(news.channel) + ": ";
      all().exceptions.push_back(channel + conc::describe(news.exception));
      all().messages.push_back(channel + std::string(news.message));
    });
  }
  ~Reports() { conc::set_report_hook(nullptr); }

  // As "channel: exception".
  [[nodiscard]] std::vector<std::string> get() const {
    const std::lock_guard lock(mutex());
    return all().exceptions;
  }

  // As "channel: message".
  [[nodiscard]] std::vector<std::string> messages() const {
    const std::lock_guard lock(mutex());
    return all().messages;
  }

 private:
  struct All {
    std::vector<std::string> exceptions;
    std::vector<std::string> messages;
  };

  // Never destroyed, since a report may come while the process exits.
  static std::mutex& mutex() {
    static auto* const m = new std::mutex;
    return *m;
  }
  static All& all() {
    static auto* const a = new All;
    return *a;
  }
};

}  // namespace conc::test

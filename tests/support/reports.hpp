// What report() is told during a test.
#pragma once

#include <conc/hooks.hpp>

#include <mutex>
#include <string>
#include <vector>

namespace conc::test {

// As "channel: exception", while the object lives. One at a time.
class Reports {
 public:
  Reports() {
    list().clear();
    conc::set_report_hook([](const conc::Report& news) {
      const std::lock_guard lock(mutex());
      list().push_back(std::string(news.channel) + ": " + conc::describe(news.exception));
    });
  }
  ~Reports() { conc::set_report_hook(nullptr); }
  [[nodiscard]] std::vector<std::string> get() const {
    const std::lock_guard lock(mutex());
    return list();
  }

 private:
  static std::mutex& mutex() {
    static std::mutex m;
    return m;
  }
  static std::vector<std::string>& list() {
    static std::vector<std::string> l;
    return l;
  }
};

}  // namespace conc::test

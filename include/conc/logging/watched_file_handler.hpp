// WatchedFileHandler: a file that others may move away or delete.
#pragma once

#include <conc/export.hpp>
#include <conc/logging/file_handler.hpp>

#include <string>
#include <string_view>

namespace conc::logging {

// Looks before each record whether the file of the handler's name is still the one that is open,
// and opens the one of that name, anew if there is none, when it is not. For programs like
// logrotate, which rename files that are written to.
//
// Durability: as FileHandler.
// Cost: one more system call for each record.
//
// Python: logging.handlers.WatchedFileHandler
class CONC_LOGGING_EXPORT WatchedFileHandler : public FileHandler {
 public:
  using FileHandler::FileHandler;
  ~WatchedFileHandler() override;

  [[nodiscard]] std::string description() const override;

 protected:
  void emit(const LogRecord& record, std::string_view line) override;

 private:
  [[nodiscard]] bool gone() const;
};

}  // namespace conc::logging

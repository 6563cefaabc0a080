#include <conc/logging/record.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace conc::logging {

std::string_view LogRecord::filename() const noexcept {
  const std::size_t slash = pathname.rfind('/');
  return slash == std::string_view::npos ? pathname : pathname.substr(slash + 1);
}

std::string_view LogRecord::module_name() const noexcept {
  const std::string_view file = filename();
  const std::size_t dot = file.rfind('.');
  // A leading dot begins a name, not an extension.
  return dot == std::string_view::npos || dot == 0 ? file : file.substr(0, dot);
}

OwnedRecord LogRecord::own() const { return OwnedRecord(*this); }

OwnedRecord::OwnedRecord(const LogRecord& record) : record_(record) {
  const std::array texts{&record_.name,        &record_.message, &record_.exception,
                         &record_.pathname,    &record_.func,    &record_.thread_name,
                         &record_.process_name};
  std::size_t size = 0;
  for (const std::string_view* text : texts) size += text->size();
  text_.reset(new char[size]);
  char* end = text_.get();
  for (std::string_view* text : texts) {
    char* const begin = end;
    end = std::copy(text->begin(), text->end(), begin);
    *text = {begin, text->size()};
  }
}

}  // namespace conc::logging

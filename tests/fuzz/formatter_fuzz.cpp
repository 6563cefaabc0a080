// Patterns and datefmt: a Formatter either refuses them with std::invalid_argument, or formats
// whatever record it is given.
//
// Input: a byte of which bit 0 is the style and bit 1 the controls, the pattern, and behind a line
// end the datefmt.
#include <conc/logging/formatter.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace logging = conc::logging;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t end = text.find('\n');
  const std::string_view pattern = text.substr(0, end);
  const std::string_view datefmt =
      end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  const auto style = (data[0] & 1) != 0 ? logging::Style::brace : logging::Style::percent;
  const auto controls = (data[0] & 2) != 0 ? logging::Controls::escape : logging::Controls::keep;

  const auto format = [&](const logging::LogRecord& record) {
    try {
      const logging::Formatter formatter(pattern, datefmt, style, controls);
      std::string line;
      try {
        formatter.format(record, line);
      } catch (const std::invalid_argument&) {
        __builtin_trap();  // that would have been the constructor's to find
      }
    } catch (const std::invalid_argument&) {
    }
  };
  const logging::Field fields[] = {{"n", std::int64_t{-7}}, {"text", text}};
  format({});
  format(
      {.name = "a.b",
       .level = logging::Level::warning,
       .message = text,
       .exception = text,
       .pathname = "/src/main.cpp",
       .func = "main",
       .lineno = 42,
       .created = std::chrono::system_clock::time_point(std::chrono::milliseconds(1717178879042)),
       .relative_created = std::chrono::nanoseconds(-1),
       .thread = 1,
       .thread_name = text,
       .process = 4711,
       .process_name = "MainProcess",
       .fields = fields,
       .context = fields});
  return 0;
}

#include <conc/logging/config.hpp>

#include <cerrno>
#include <cstddef>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include "config/json_text.hpp"
#include "config/plan.hpp"

namespace conc::logging {
namespace {

std::string text_of(const std::string& where, const std::vector<std::string>& mistakes) {
  std::string text = where;
  for (const std::string& one : mistakes) (text += mistakes.size() == 1 ? ": " : "\n  ") += one;
  return text;
}

void configure(const std::string& where, std::string_view text) {
  detail::Mistakes mistakes;
  const detail::Json config = detail::parse_json(text, mistakes);
  detail::Plan plan;
  if (mistakes.empty() || !config.is_null()) {
    plan = detail::make_plan(config, detail::present_handlers(), mistakes);
  }
  if (!mistakes.empty()) throw ConfigError(where, std::move(mistakes));
  detail::apply(std::move(plan));
}

}  // namespace

ConfigError::ConfigError(const std::string& where, std::vector<std::string> mistakes)
    : std::invalid_argument(text_of(where, mistakes)),
      mistakes_(std::make_shared<const std::vector<std::string>>(std::move(mistakes))) {}

ConfigError::ConfigError(const ConfigError&) noexcept = default;
ConfigError& ConfigError::operator=(const ConfigError&) noexcept = default;
ConfigError::~ConfigError() = default;

void dict_config(std::string_view json) { configure("conc::logging::dict_config", json); }

void config_file(const std::filesystem::path& path) {
  const std::string where = "conc::logging::config_file: " + path.string();
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text;
  char part[4096];
  while (file && (file.read(part, sizeof part), file.gcount() != 0)) {
    text.append(part, static_cast<std::size_t>(file.gcount()));
  }
  if (!file.eof()) {  // neither opened nor read to its end
    const std::string why = std::generic_category().message(errno != 0 ? errno : EIO);
    throw ConfigError(where, {"the file cannot be read: " + why});
  }
  configure(where, text);
}

}  // namespace conc::logging

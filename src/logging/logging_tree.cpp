#include <conc/logging/level.hpp>
#include <conc/logging/logger.hpp>
#include <conc/logging/logging_tree.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace conc::logging {
namespace {

void write(const Handler& handler, std::ostream& out) {
  out << handler.description();
  if (const Level level = handler.level(); level != Level::notset) {
    out << ", level " << level_name(level);
  }
  if (const auto lost = handler.lost(); lost != 0) out << ", " << lost << " lost";
  if (const auto dropped = handler.dropped(); dropped != 0) out << ", " << dropped << " dropped";
  out << '\n';
}

void write(const Logger& logger, std::size_t depth, std::ostream& out) {
  const std::string indent(2 * depth, ' ');
  const Level level = logger.level();
  out << indent << logger.name() << ": " << level_name(level);
  if (level == Level::notset) out << ", effective " << level_name(logger.effective_level());
  if (!logger.propagate()) out << ", does not propagate";
  if (logger.disabled()) out << ", disabled";
  out << '\n';
  for (const auto& handler : logger.handlers()) {
    out << indent << "  ";
    write(*handler, out);
  }
  for (const Logger* child : logger.children()) write(*child, depth + 1, out);
}

}  // namespace

void logging_tree(std::ostream& out) { write(get_logger(), 0, out); }

}  // namespace conc::logging

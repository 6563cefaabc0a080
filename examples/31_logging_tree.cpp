// SPDX-License-Identifier: MIT-0
//
// Loggers form a tree by their dotted names. Levels are inherited from above, records go up to the
// handlers of all ancestors.

#include <cstdio>
#include <iostream>
#include <memory>

#include <conc/logging.hpp>

namespace logging = conc::logging;
using logging::Level;
using logging::Logger;

// A handler that writes to stdout whatever has this level at least.
std::shared_ptr<logging::Handler> to_stdout(Level level, const char* format) {
  auto handler = std::make_shared<logging::StreamHandler>(std::cout);
  handler->set_level(level);
  handler->set_formatter(std::make_shared<logging::Formatter>(format));
  return handler;
}

void show(const Logger& logger) {
  std::printf("%-8s parent %-5s level %-8s effective %s\n", logger.name().c_str(),
              logger.parent() != nullptr ? logger.parent()->name().c_str() : "none",
              logging::level_name(logger.level()).c_str(),
              logging::level_name(logger.effective_level()).c_str());
}

int main() {
  Logger& root = logging::get_logger();
  Logger& a1 = logging::get_logger("a.a1");
  Logger& a11 = logging::get_logger("a.a1.a11");
  std::printf("same name, same logger: %s\n", &logging::get_logger("a.a1") == &a1 ? "yes" : "no");

  // There is no "a" yet, so the parent of a.a1 is the root, and a level is found there only.
  show(root);
  show(a1);
  show(a11);

  // Once there is an "a", it stands between the two, and its level counts for those below.
  Logger& a = logging::get_logger("a");
  a.set_level(Level::info);
  show(a1);
  show(a11);

  // The first gate is the level of the logger that is called; the second that of each handler.
  root.add_handler(to_stdout(Level::notset, "  root: %(levelname)s %(name)s %(message)s"));
  a1.add_handler(to_stdout(static_cast<Level>(21), "  a.a1: %(levelname)s %(name)s %(message)s"));

  std::printf("info, by a.a1.a11:\n");
  a11.info("enabled by the level of a; below the level of the handler at a.a1");
  std::printf("warning, by a.a1.a11:\n");
  a11.warning("reaches both handlers");
  std::printf("info, by the root:\n");
  root.info("below the root's own level");

  // What a.a1 does not propagate ends there.
  a1.set_propagate(false);
  std::printf("warning, not propagated:\n");
  a11.warning("reaches the handler at a.a1");
}

// SPDX-License-Identifier: MIT-0
//
// The root logger is always there. It logs from WARNING up, and writes to stderr if nobody tells it
// otherwise; here it is told to write to stdout.

#include <cstdio>
#include <iostream>
#include <stdexcept>

#include <conc/logging.hpp>

namespace logging = conc::logging;

int main() {
  // Configure once, at the start of the program: level, format, where to.
  logging::basic_config({.level = logging::Level::info,
                         .format = "%(levelname)-8s|%(name)s|%(message)s",
                         .stream = &std::cout});

  // The message is a format string; the compiler checks that it suits its arguments. They are
  // looked at only if the message is wanted: debug is below the level.
  logging::debug("{} is never seen", "this");
  logging::info("{} of {} done", 3, 4);
  logging::warning("{:.1f} % of the disk are left", 4.5);
  logging::error("no {:>6}|", "paper");

  // In a catch block, exception() adds what was caught.
  try {
    throw std::out_of_range("page 12");
  } catch (const std::exception&) {
    logging::exception("cannot print");
  }

  // A root that has a handler is left alone, so a library cannot spoil the program's configuration.
  logging::basic_config({.level = logging::Level::debug});
  logging::debug("still not seen");

  // To configure anew, say so. The other style, and the date as strftime() writes it.
  logging::basic_config({.level = logging::Level::debug,
                         .format = "{asctime} {processName} {threadName:>12} {levelno}: {message}",
                         .datefmt = "%Y-%m-%d %H:%M:%S",
                         .style = logging::Style::brace,
                         .stream = &std::cout,
                         .force = true});
  logging::debug("now it is seen");

  // A root without handlers configures itself at the next call, to write to stderr.
  logging::Logger& root = logging::get_logger();
  for (const auto& handler : root.handlers()) root.remove_handler(handler);
  std::printf("handlers: %zu\n", root.handlers().size());
  logging::info("this goes to stderr");
  std::printf("handlers: %zu\n", root.handlers().size());
}

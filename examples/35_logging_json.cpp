// SPDX-License-Identifier: MIT-0
//
// For programs that read logs: each record is a line of JSON, and what matters in it is a field,
// not a word of the message.

#include <iostream>
#include <memory>
#include <string>

#include <conc/logging.hpp>
#include <conc/thread_pool_executor.hpp>

namespace logging = conc::logging;
using logging::field;

int main() {
  const auto out = std::make_shared<logging::StreamHandler>(std::cout);
  out->set_formatter(std::make_shared<logging::JsonFormatter>());
  logging::Logger& log = logging::get_logger("shop");
  log.set_level(logging::Level::info);
  log.add_handler(out);

  // Fields stand behind the arguments of the message and keep their kind.
  log.info("sent {} files", 3, field("bytes", 1200), field("to", "a.example"), field("ok", true));

  // What comes from outside cannot break the line.
  const std::string name = "Eve\"\n{\"level\":\"ERROR\"}";
  log.warning("no such customer: {}", name);

  // A context is in all records of the thread, and goes along with what it submits to a pool.
  conc::ThreadPoolExecutor pool({.max_workers = 1, .thread_name_prefix = "worker"});
  {
    const logging::Context context{{"request", 17}};
    log.info("accepted");
    pool.submit([&log] { log.info("served"); }).wait();
  }
  log.info("idle");

  // An adapter is a logger whose records all have certain fields.
  const logging::LoggerAdapter orders(log, {{"customer", "ann"}});
  orders.info("paid", field("cents", 999));

  // The same in a line for people; control characters are made visible.
  out->set_formatter(std::make_shared<logging::Formatter>("%(levelname)s %(message)s %(fields)s",
                                                          "", logging::Style::percent,
                                                          logging::Controls::escape));
  orders.warning("no such customer: {}", name, field("cents", 1));
}

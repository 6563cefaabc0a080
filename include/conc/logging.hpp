// conc::logging: Python's tree of loggers.
//
//   namespace logging = conc::logging;
//
//   logging::basic_config({.level = logging::Level::info});
//   auto& log = logging::get_logger("shop.orders");
//   log.info("{} items for {}", count, customer);
//
// Loggers make records, handlers take them to files and streams, formatters turn them into lines,
// filters hold them back.
#pragma once

#include <conc/logging/basic_config.hpp>
#include <conc/logging/context.hpp>
#include <conc/logging/field.hpp>
#include <conc/logging/file_handler.hpp>
#include <conc/logging/filter.hpp>
#include <conc/logging/flush_on_crash.hpp>
#include <conc/logging/format_string.hpp>
#include <conc/logging/formatter.hpp>
#include <conc/logging/handler.hpp>
#include <conc/logging/json_formatter.hpp>
#include <conc/logging/level.hpp>
#include <conc/logging/logger.hpp>
#include <conc/logging/logger_adapter.hpp>
#include <conc/logging/logging_tree.hpp>
#include <conc/logging/macros.hpp>
#include <conc/logging/memory_handler.hpp>
#include <conc/logging/queue_handler.hpp>
#include <conc/logging/queue_listener.hpp>
#include <conc/logging/record.hpp>
#include <conc/logging/root.hpp>
#include <conc/logging/rotating_file_handler.hpp>
#include <conc/logging/set_levels.hpp>
#include <conc/logging/socket_handler.hpp>
#include <conc/logging/stream_handler.hpp>
#include <conc/logging/syslog_handler.hpp>
#include <conc/logging/timed_rotating_file_handler.hpp>
#include <conc/logging/watched_file_handler.hpp>

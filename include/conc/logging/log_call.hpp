// log_call(): from the arguments of a logging call to its message. No part of the public interface.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/machine.hpp>
#include <conc/export.hpp>
#include <conc/logging/field.hpp>
#include <conc/logging/format_string.hpp>
#include <conc/logging/level.hpp>
#include <conc/logging/plain_message.hpp>

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace conc::logging {

class Logger;

namespace detail {

// A logging call but for its arguments.
struct Call {
  Level level = Level::notset;
  bool with_exception = false;  // adds the exception that is being handled
  MessageText format = {};
  CallSite site = {};
  std::span<const Field> fields = {};
  std::string_view exception = {};  // its text
};

// The time of a logging call that happens now: the system's, see LogRecord::created.
CONC_LOGGING_EXPORT std::chrono::system_clock::time_point call_time() noexcept;

// Makes the record of the call and hands it to the logger. The message is `text`, or what becomes
// of it with the values in their places.
CONC_LOGGING_EXPORT void write_call(const Logger& logger, const Call& call, std::string_view text,
                                    const PlainValues* values,
                                    std::chrono::system_clock::time_point created) noexcept;

// How many QueueHandlers there are. Without any, messages are formatted at once, which is a little
// faster than when somebody wants to see them. It orders nothing, so it is read relaxed.
CONC_LOGGING_EXPORT extern conc::detail::Atomic<int> queue_handlers;

// Writes to stderr that the message of the call at `site` could not be formatted, and why; counts
// it when it is not the first in a second. Called in a catch block.
CONC_COLD CONC_LOGGING_EXPORT void complain_of_format(const CallSite& site) noexcept;

// All that follows is inline, so that the compiled library has nothing to do with the fmt that the
// program uses.

// For messages that are not plain.
CONC_NOINLINE inline void log_with_fmt(const Logger& logger, const Call& call,
                                       const fmt::format_args& args,
                                       std::chrono::system_clock::time_point created) noexcept {
  try {
    fmt::memory_buffer text;
    const std::string_view format = call.format.text;
    fmt::vformat_to(fmt::appender(text), fmt::string_view(format.data(), format.size()), args);
    write_call(logger, call, {text.data(), text.size()}, nullptr, created);
  } catch (...) {
    complain_of_format(call.site);
  }
}

template <class... Values>
CONC_NOINLINE void log_plain(const Logger& logger, const Call& call, Values... values) noexcept {
  // Before the message is formatted, which may take long.
  const auto created = call_time();
  const MessageText& format = call.format;
  if (format.places == 0) return write_call(logger, call, format.text, nullptr, created);
  const std::size_t room = (format.text.size() + ... + PlainValue(values).room());
  if (format.places == not_plain || room > plain_room) [[unlikely]] {
    return log_with_fmt(logger, call, fmt::make_format_args(values...), created);
  }
  if (queue_handlers.load(std::memory_order_relaxed) != 0) {
    const std::array<PlainValue, sizeof...(Values)> plain{PlainValue(values)...};
    std::size_t texts = 0;
    for (const PlainValue& value : plain) {
      if (value.is_text()) texts += value.text().size();
    }
    const PlainValues all{format.places, plain.data(), plain.size(), texts, room};
    write_call(logger, call, format.text, &all, created);
  } else {
    char message[plain_room];
    PlainWriter writer(format, message);
    ((writer.wants_more() ? writer.add(PlainValue(values)) : void()), ...);
    const auto size = static_cast<std::size_t>(writer.finish() - message);
    write_call(logger, call, {message, size}, nullptr, created);
  }
}

template <class... Args>
void log_message(const Logger& logger, const Call& call, Args&... args) noexcept {
  if constexpr ((HasPlainValue<Args> && ...)) {
    log_plain(logger, call, plain_value(args)...);
  } else {
    log_with_fmt(logger, call, fmt::make_format_args(args...), call_time());
  }
}

// The first arguments belong to the message, the others are fields.
template <class... Args, std::size_t... Is, std::size_t... Fs>
CONC_NOINLINE void log_with_fields(const Logger& logger, Call call, std::tuple<Args&...> args,
                                   std::index_sequence<Is...>,
                                   std::index_sequence<Fs...>) noexcept {
  try {
    std::array<std::string, sizeof...(Fs)> rooms;
    std::vector<Field> fields;
    fields.reserve(call.fields.size() + sizeof...(Fs));
    fields.assign(call.fields.begin(), call.fields.end());
    const auto add = [&fields](const auto& one, std::string& room) {
      fields.push_back({one.name, field_value(one.value, room)});
    };
    (add(std::get<sizeof...(Is) + Fs>(args), rooms[Fs]), ...);
    call.fields = fields;
    log_message(logger, call, std::get<Is>(args)...);
  } catch (...) {
    complain_of_format(call.site);
  }
}

// Formats the message and hands it to the logger. The arguments' fields stand behind those of
// `call`. What formatting throws is written to stderr.
template <class... Args>
void log_call(const Logger& logger, const Call& call, Args&... args) noexcept {
  if constexpr (number_of_fields<Args...> == 0) {
    log_message(logger, call, args...);
  } else {
    log_with_fields(logger, call, std::tie(args...),
                    std::make_index_sequence<arguments_before_fields<Args...>()>(),
                    std::make_index_sequence<number_of_fields<Args...>>());
  }
}

}  // namespace detail
}  // namespace conc::logging

// How the library speaks when there is nobody to throw to.
//
// An exception that leaves a thread's function or a done-callback, a task that nobody asked the
// result of: such news goes through report(). Until somebody sets a hook it is one line on stderr.
// conc::logging, once the program uses it, sets a hook that hands each report to the logger of the
// report's channel; one on "conc.trace" that would get to no handler so stays a line on stderr.
#pragma once

#include <conc/export.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace conc {

enum class Severity : std::uint8_t { debug, info, warning, error, critical };

// Lives as long as the call that gets it; a hook copies what it wants to keep.
struct Report {
  std::string_view channel;  // "conc.thread", "conc.future", "conc.deadlock" or "conc.trace": the
                             // name of a logger
  Severity severity = Severity::error;
  std::string_view message;           // one sentence, without a line end
  std::exception_ptr exception = {};  // what escaped, or null
};

// A hook may be called by any thread, by several at once, and while the process exits. It may
// throw: the report and what the hook threw then go to stderr.
using ReportHook = void (*)(const Report&);

// Makes `hook` the receiver of all later reports; nullptr brings back the line on stderr. Returns
// the hook that was set before, or nullptr. Never blocks.
// Python: sys.unraisablehook, threading.excepthook.
CONC_EXPORT ReportHook set_report_hook(ReportHook hook) noexcept;

// Hands the report to the hook. Never throws, and never blocks but for what the hook or stderr
// does.
CONC_EXPORT void report(const Report& news) noexcept;

namespace detail {
// Writes the line on stderr that a report is without a hook.
CONC_EXPORT void write_line(const Report& news) noexcept;
}  // namespace detail

// What goes along with a task from the thread that submits it to the thread that runs it, the
// context of a logger for instance. The functions are called with no lock held:
//
//   capture   by the submitting thread, for each task; returns what goes along, or nullptr
//   enter     before the task, by the thread that runs it; returns what was in force there
//   leave     after the task, with what enter() returned
//   drop      at the end of each captured thing, by any thread, whether the task ran or not
//
// It is an object that lives as long as the process, and whose members do not change.
struct CarryHook {
  void* (*capture)() noexcept;
  void* (*enter)(void* carried) noexcept;
  void (*leave)(void* before) noexcept;
  void (*drop)(void* carried) noexcept;
};

// Has everything that is submitted to an executor from now on carry along what `hook` says. There
// is one hook in a process, and it stays. Returns false, and changes nothing, when another is set.
// Never blocks.
// Cost: until then one relaxed load for each task that is submitted.
// Python: contextvars.copy_context().run(), which no executor does by itself.
CONC_EXPORT bool set_carry_hook(const CarryHook& hook) noexcept;

// The text of an exception for a message: `TypeName: what()`, without the type when it cannot be
// named, and with the nested exceptions of std::throw_with_nested behind it. "" for null.
// Allocates.
CONC_EXPORT std::string describe(const std::exception_ptr& exception);

}  // namespace conc

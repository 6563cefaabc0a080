#include <conc/detail/machine.hpp>
#include <conc/hooks.hpp>

#include <cstdio>
#include <typeinfo>

#if defined(__GNUC__)
#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#endif

namespace conc {
namespace {

constinit detail::Atomic<ReportHook> current_hook{nullptr};

std::string type_name(const std::type_info& type) {
#if defined(__GNUC__)
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> readable(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), std::free);
  if (status == 0) return readable.get();
#endif
  return type.name();
}

}  // namespace

// One call of fprintf, so that lines of several threads do not mix.
void detail::write_line(const Report& news) noexcept {
  std::string what;
  try {
    what = describe(news.exception);
  } catch (...) {
    what = "(no memory to describe the exception)";
  }
  std::fprintf(stderr, "%.*s: %.*s%s%s\n", static_cast<int>(news.channel.size()),
               news.channel.data(), static_cast<int>(news.message.size()), news.message.data(),
               what.empty() ? "" : ": ", what.c_str());
}

ReportHook set_report_hook(ReportHook hook) noexcept {
  return current_hook.exchange(hook, std::memory_order_acq_rel);
}

void report(const Report& news) noexcept {
  const ReportHook hook = current_hook.load(std::memory_order_acquire);
  if (hook == nullptr) return detail::write_line(news);
  try {
    hook(news);
  } catch (...) {
    detail::write_line(news);
    detail::write_line(
        {news.channel, Severity::error, "the report hook threw", std::current_exception()});
  }
}

std::string describe(const std::exception_ptr& exception) {
  if (!exception) return {};
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    std::string text = type_name(typeid(error)) + ": " + error.what();
    try {
      std::rethrow_if_nested(error);
    } catch (...) {
      text += "; caused by " + describe(std::current_exception());
    }
    return text;
  } catch (...) {
#if defined(__GNUC__)
    if (const std::type_info* type = abi::__cxa_current_exception_type()) return type_name(*type);
#endif
    return "an exception that is not a std::exception";
  }
}

}  // namespace conc

#include <conc/detail/machine.hpp>
#include <conc/hooks.hpp>

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
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

// Of the exception that is being handled. What std::throw_with_nested() throws has a type of its
// own that derives from the one that it was given.
std::string current_type_name() {
#if defined(__GNUC__)
  if (const std::type_info* const type = abi::__cxa_current_exception_type()) {
    const std::string name = type_name(*type);
    for (const std::string_view wrapper : {"std::_Nested_exception<", "std::__1::__nested<"}) {
      if (name.starts_with(wrapper) && name.ends_with('>')) {
        return name.substr(wrapper.size(), name.size() - wrapper.size() - 1);
      }
    }
    return name;
  }
#endif
  return "an exception that is not a std::exception";
}

std::string cause(const std::exception_ptr& nested) {
  return nested ? "; caused by " + describe(nested) : std::string();
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
  std::string_view message = news.message;
  if (!what.empty() && message.ends_with('.')) message.remove_suffix(1);
  std::fprintf(stderr, "%.*s: %.*s%s%s\n", static_cast<int>(news.channel.size()),
               news.channel.data(), static_cast<int>(message.size()), message.data(),
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
    const auto* const outer = dynamic_cast<const std::nested_exception*>(&error);
    return current_type_name() + ": " + error.what() +
           (outer != nullptr ? cause(outer->nested_ptr()) : std::string());
  } catch (const std::nested_exception& outer) {
    return current_type_name() + cause(outer.nested_ptr());
  } catch (...) {
    return current_type_name();
  }
}

}  // namespace conc

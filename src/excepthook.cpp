#include <conc/detail/machine.hpp>
#include <conc/excepthook.hpp>
#include <conc/hooks.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "detail/escaped.hpp"
#include "detail/fork.hpp"
#include "detail/message.hpp"

namespace conc {
namespace {

class Holder {
 public:
  // Never destroyed: threads may end after the globals are gone.
  static Holder& instance() {
    static Holder* const holder = new Holder;
    return *holder;
  }

  [[nodiscard]] std::shared_ptr<const ExceptHook> get() {
    const std::lock_guard lock(mutex_);
    return hook_;
  }

  void set(std::shared_ptr<const ExceptHook> hook) {
    const std::lock_guard lock(mutex_);
    hook_.swap(hook);  // the old one is destroyed by the caller, without the lock
  }

 private:
  Holder() { detail::guard_over_fork(mutex_); }

  detail::Mutex mutex_;
  std::shared_ptr<const ExceptHook> hook_;  // null: none is set
};

[[maybe_unused]] const bool at_load = (Holder::instance(), true);

void report_escaped(const char* type, const std::string& name, const char* what,
                    const std::exception_ptr& exception) noexcept {
  std::string text;
  try {
    text = detail::message(type, name.empty() ? nullptr : name.c_str(), what);
  } catch (...) {
    // No memory for the name; the exception is what matters.
  }
  report({"conc.thread", Severity::error,
          text.empty() ? std::string_view(what) : std::string_view(text), exception});
}

}  // namespace

void set_excepthook(ExceptHook hook) {
  Holder::instance().set(hook ? std::make_shared<const ExceptHook>(std::move(hook)) : nullptr);
}

void detail::exception_escaped(const char* type, const std::string& name, const char* what,
                               const std::exception_ptr& exception) noexcept {
  try {
    const std::shared_ptr<const ExceptHook> hook = Holder::instance().get();
    if (hook != nullptr) return (*hook)({current_thread(), exception});
  } catch (...) {
    report({"conc.thread", Severity::error, "the excepthook threw", std::current_exception()});
  }
  report_escaped(type, name, what, exception);
}

}  // namespace conc

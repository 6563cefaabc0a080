#include <conc/logging/handler.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include "active.hpp"
#include "complaint.hpp"
#include "draft.hpp"
#include "filtered.hpp"
#include "handler_state.hpp"
#include "line_buffer.hpp"
#include "shutdown.hpp"

#if defined(__GNUC__)
#include <cxxabi.h>

#include <cstdlib>
#endif

namespace conc::logging {
namespace {

using detail::Outfit;

const Formatter& bare_message() {
  static const Formatter* const formatter = new Formatter;  // serves destructors of globals as well
  return *formatter;
}

[[maybe_unused]] const bool at_load = (bare_message(), true);

}  // namespace

Handler::Handler(Wants wants, std::string terminator) : state_(std::make_unique<State>(wants)) {
  set_terminator(std::move(terminator));
}

Handler::~Handler() { say_losses(); }

void Handler::set_formatter(std::shared_ptr<const Formatter> formatter) {
  state_->outfit.update([&](Outfit& outfit) {
    outfit.formatter.swap(formatter);
    return true;
  });
}

std::shared_ptr<const Formatter> Handler::formatter() const {
  const auto outfit = state_->outfit.read();
  return outfit ? outfit->formatter : nullptr;
}

void Handler::set_terminator(std::string terminator) {
  state_->outfit.update([&](Outfit& outfit) {
    outfit.terminator.swap(terminator);
    return true;
  });
}

std::string Handler::terminator() const {
  const auto outfit = state_->outfit.read();
  return outfit ? outfit->terminator : std::string();
}

void Handler::add_filter(std::shared_ptr<const Filter> filter) {
  if (filter == nullptr) {
    throw std::invalid_argument("conc::logging::Handler::add_filter: the filter must not be null.");
  }
  state_->outfit.update([&](Outfit& outfit) {
    const auto& filters = outfit.filters;
    if (std::find(filters.begin(), filters.end(), filter) != filters.end()) return false;
    outfit.filters.push_back(std::move(filter));
    return true;
  });
}

void Handler::remove_filter(const std::shared_ptr<const Filter>& filter) {
  state_->outfit.update([&](Outfit& outfit) { return std::erase(outfit.filters, filter) != 0; });
}

bool Handler::handle(const LogRecord& record) noexcept {
  detail::Draft draft(record);
  return handle(draft);
}

bool Handler::handle(detail::Draft& draft) noexcept {
  State& state = *state_;
  if (state.wants == Wants::nothing) return true;
  if (detail::Active::contains(this)) {
    lose("a record that it logged itself was lost: ", draft.finished().message);
    return true;
  }

  detail::Active active(this);
  bool passed = false;
  bool behind = false;  // a record has arrived, and it is not said how many had not
  try {
    const auto outfit = state.outfit.read();
    std::optional<OwnedRecord> replaced;
    const LogRecord* record = nullptr;
    if (outfit && !outfit->filters.empty()) {
      record = detail::filtered(outfit->filters, draft.finished(), replaced);
      if (record == nullptr) return false;
    }
    passed = true;
    const auto arrived = [&] {
      behind = state.unsaid.load(std::memory_order_relaxed) && !holds_back();
    };
    if (record == nullptr && state.wants == Wants::shared && try_keep(draft)) {
      arrived();
    } else {
      if (record == nullptr) record = &draft.finished();
      const auto take = [&](std::string_view line) {
        const auto held = state.enter(active);
        emit(*record, line);
        arrived();
      };
      if (state.wants != Wants::line) {
        take({});
      } else {
        const Formatter* const formatter = outfit ? outfit->formatter.get() : nullptr;
        detail::LineBuffer buffer;
        const std::string_view line =
            buffer.line(formatter != nullptr ? *formatter : bare_message(), *record,
                        outfit ? std::string_view(outfit->terminator) : std::string_view());
        if (!try_emit(*record, line)) take(line);
      }
    }
  } catch (...) {
    lose("a record was lost: ", detail::describe_current_exception());
    return passed;
  }
  if (behind) [[unlikely]] {
    catch_up(detail::described);
  }
  return passed;
}

void Handler::flush() {
  using enum detail::Active::Doing;
  if (detail::Active::contains(this, flush) || detail::Active::contains(this, close)) return;
  detail::Active active(this, flush);
  const auto held = state_->enter_again(active);
  on_flush();
}

void Handler::close() {
  using enum detail::Active::Doing;
  if (detail::Active::contains(this, close)) return;
  const bool flushing = detail::Active::contains(this, flush);
  detail::Active active(this, close);
  const auto held = state_->enter_again(active);
  try {
    if (!flushing && flushes_on_close()) on_flush();
  } catch (...) {
    say_losses();
    on_close();
    throw;
  }
  say_losses();
  on_close();
}

std::uint64_t Handler::dropped() const noexcept { return 0; }

std::string Handler::description() const {
  const char* const name = typeid(*this).name();
#if defined(__GNUC__)
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> readable(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), std::free);
  if (status == 0) return readable.get();
#endif
  return name;
}

bool Handler::try_keep(const detail::Draft&) { return false; }

bool Handler::try_emit(const LogRecord&, std::string_view) noexcept { return false; }

bool Handler::holds_back() const noexcept { return false; }

void Handler::on_flush() {}

void Handler::on_close() {}

bool Handler::flushes_on_close() const noexcept { return true; }

Lock& Handler::lock() const noexcept { return state_->lock; }

void Handler::enlist(const std::shared_ptr<Handler>& handler) {
  detail::close_at_shutdown(handler->state_->serial, handler);
}

NullHandler::NullHandler() : Handler(Wants::nothing) {}

NullHandler::~NullHandler() = default;

void NullHandler::emit(const LogRecord&, std::string_view) {}

}  // namespace conc::logging

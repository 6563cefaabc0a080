#include "classes.hpp"

#include <conc/detail/machine.hpp>
#include <conc/logging/json_formatter.hpp>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "handler_classes.hpp"

namespace conc::logging {
namespace detail {
namespace {

// "logging.handlers.MemoryHandler" -> "MemoryHandler"
std::string_view without_module(std::string_view name) {
  for (const std::string_view module : {"logging.handlers.", "logging."}) {
    if (name.starts_with(module)) return name.substr(module.size());
  }
  return name;
}

// The classes of one sort, a list that only grows, the newest first: a class hides the older ones of
// its name. Never destroyed, so it serves globals too; without a lock, so the child of a fork never
// meets it held.
template <class Factory>
class Classes {
 public:
  explicit Classes(std::map<std::string, Factory> own) {
    for (auto& [name, make] : own) add(name, std::move(make));
  }

  void add(std::string name, Factory make) {
    auto* const added = new Class{std::move(name), std::move(make), newest_.load()};
    while (!newest_.compare_exchange_weak(added->older, added)) {
    }
  }

  [[nodiscard]] const Factory* find(std::string_view name) const noexcept {
    for (const std::string_view one : {name, without_module(name)}) {
      for (const Class* at = newest_.load(); at != nullptr; at = at->older) {
        if (at->name == one) return &at->make;
      }
    }
    return nullptr;
  }

 private:
  struct Class {
    const std::string name;
    const Factory make;
    const Class* older;
  };

  conc::detail::Atomic<const Class*> newest_{nullptr};
};

std::shared_ptr<const Formatter> make_formatter(ConfigSection& section) {
  const auto format = section.text("format");
  const auto datefmt = section.text("datefmt");
  const auto style = section.choice("style", {"%", "{"});
  const auto controls = section.choice("controls", {"keep", "escape"});
  if (datefmt && datefmt->find('\0') != std::string::npos) {
    section.mistake("datefmt", "must not have a null character");
  }
  if (section.has_mistakes()) return nullptr;
  try {
    return std::make_shared<const Formatter>(format.value_or(""), datefmt.value_or(""),
                                             style == 1u ? Style::brace : Style::percent,
                                             controls == 1u ? Controls::escape : Controls::keep);
  } catch (const std::invalid_argument& wrong) {
    section.mistake("format", wrong.what());
    return nullptr;
  }
}

std::shared_ptr<const Formatter> make_json_formatter(ConfigSection&) {
  return std::make_shared<const JsonFormatter>();
}

std::shared_ptr<const Filter> make_filter(ConfigSection& section) {
  return std::make_shared<const Filter>(section.text("name").value_or(""));
}

Classes<HandlerFactory>& handler_classes() {
  static auto* const classes = new Classes<HandlerFactory>(own_handler_classes());
  return *classes;
}

Classes<FormatterFactory>& formatter_classes() {
  static auto* const classes = new Classes<FormatterFactory>(
      {{"Formatter", make_formatter}, {"JsonFormatter", make_json_formatter}});
  return *classes;
}

Classes<FilterFactory>& filter_classes() {
  static auto* const classes = new Classes<FilterFactory>({{"Filter", make_filter}});
  return *classes;
}

[[maybe_unused]] const bool at_load =
    (handler_classes(), formatter_classes(), filter_classes(), true);

template <class Factory>
void add(Classes<Factory>& classes, std::string name, Factory make) {
  if (name.empty() || !make) {
    throw std::invalid_argument(
        "conc::logging: a class for configurations needs a name and a function that makes one.");
  }
  classes.add(std::move(name), std::move(make));
}

}  // namespace

const HandlerFactory* handler_class(std::string_view name) { return handler_classes().find(name); }

const FormatterFactory* formatter_class(std::string_view name) {
  return formatter_classes().find(name);
}

const FilterFactory* filter_class(std::string_view name) { return filter_classes().find(name); }

}  // namespace detail

void add_handler_class(std::string name, HandlerFactory make) {
  detail::add(detail::handler_classes(), std::move(name), std::move(make));
}

void add_formatter_class(std::string name, FormatterFactory make) {
  detail::add(detail::formatter_classes(), std::move(name), std::move(make));
}

void add_filter_class(std::string name, FilterFactory make) {
  detail::add(detail::filter_classes(), std::move(name), std::move(make));
}

}  // namespace conc::logging

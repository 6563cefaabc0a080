#include "plan.hpp"

#include <conc/hooks.hpp>

#include <exception>
#include <functional>
#include <new>
#include <string_view>

#include "classes.hpp"
#include "late_files.hpp"
#include "section.hpp"

namespace conc::logging::detail {
namespace {

using Node = ConfigNode;

// What went wrong while a factory ran.
std::string reason() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& wrong) {
    return wrong.what();
  } catch (...) {
    return describe(std::current_exception());
  }
}

class Reader final : private Construction {
 public:
  Reader(const Json& config, const HandlersByName& present, Mistakes& mistakes)
      : config_(config), present_(present), mistakes_(mistakes) {}

  Plan read() {
    if (!config_.is_object()) {
      mistakes_.push_back("the configuration must be an object, not " + shown(config_));
      return {};
    }
    Node top(config_, "", mistakes_, *this);
    ConfigSection section(top);
    if (top.find("version") == nullptr) {
      top.mistake("version", "must be there, and be 1");
    } else {
      static_cast<void>(section.number("version", 1, 1));
    }
    plan_.incremental = section.flag("incremental").value_or(false);
    plan_.disable_existing = section.flag("disable_existing_loggers").value_or(true);
    if (plan_.incremental) {
      read_levels_of_handlers(top);
    } else {
      read_parts(top);
    }
    each_object(top, "loggers", [this](const std::string& name, Node& logger) {
      read_logger(name, logger, false);
    });
    if (const Json* const root = top.find("root"); root != nullptr && root->is_object()) {
      Node node(*root, "root", mistakes_, *this);
      read_logger("", node, true);
    } else if (root != nullptr) {
      top.wrong_kind("root", "an object", *root);
    }
    top.refuse_other_keys();

    files_.probe(mistakes_);
    // It may fail, so it comes before files lose what is in them.
    if (mistakes_.empty()) start_listeners();
    if (mistakes_.empty()) files_.open(mistakes_);
    return std::move(plan_);
  }

 private:
  // An object that a handler or logger may name.
  template <class T>
  using Named = std::map<std::string, std::shared_ptr<const T>>;  // null: it has mistakes

  struct HandlerEntry {
    const Json* config;
    enum class State { unread, being_read, read } state = State::unread;
    std::shared_ptr<Handler> made = nullptr;
  };

  template <class Each>
  void each_object(Node& top, const char* key, Each each) {
    const Json* const all = top.find(key);
    if (all == nullptr) return;
    if (!all->is_object()) return top.wrong_kind(key, "an object", *all);
    for (const auto& [name, value] : all->items()) {
      const std::string place = place_in(key, name);
      if (!value.is_object()) {
        top.wrong_kind(place, "an object", value);
        continue;
      }
      Node node(value, place, mistakes_, *this);
      each(name, node);
    }
  }

  // ---- Formatters, filters, handlers

  void read_parts(Node& top) {
    each_object(top, "formatters", [this](const std::string& name, Node& node) {
      formatters_[name] = make<const Formatter>(node, "formatters", "Formatter", formatter_class);
    });
    each_object(top, "filters", [this](const std::string& name, Node& node) {
      filters_[name] = make<const Filter>(node, "filters", "Filter", filter_class);
    });
    if (const Json* const all = top.find("handlers"); all != nullptr && all->is_object()) {
      for (const auto& [name, value] : all->items()) handlers_[name] = {.config = &value};
    } else if (all != nullptr) {
      top.wrong_kind("handlers", "an object", *all);
    }
    for (auto& [name, entry] : handlers_) read_handler(name, entry);
  }

  // What the class makes of the object; `base` is the class when none is named, "" if one must be.
  template <class T, class FindClass>
  std::shared_ptr<T> make(Node& node, const char* sort, const char* base, FindClass find_class) {
    ConfigSection section(node);
    auto name = section.text("class");
    if (auto other = section.text("()")) {
      if (name) section.mistake("()", "there is a class already");
      name = std::move(other);
    }
    if (!name) {
      if (section.has_mistakes()) return nullptr;
      if (*base == '\0') {
        section.mistake("class", "must be there");
        return nullptr;
      }
      name = base;
    }
    const auto factory = find_class(*name);
    if (factory == nullptr) {
      section.mistake(node.find("class") != nullptr ? "class" : "()",
                      in_quotes(*name) + " is no class of " + sort);
      return nullptr;
    }
    std::shared_ptr<T> made;
    try {
      made = (*factory)(section);
    } catch (...) {
      // Perhaps before it asked for all its keys.
      section.mistake("", reason());
      return nullptr;
    }
    if (made == nullptr && !section.has_mistakes()) {
      section.mistake("", "the class " + in_quotes(*name) + " made nothing of it");
    }
    node.refuse_other_keys();
    return section.has_mistakes() ? nullptr : made;
  }

  void read_handler(const std::string& name, HandlerEntry& entry) {
    if (entry.state != HandlerEntry::State::unread) return;
    entry.state = HandlerEntry::State::being_read;
    Node node(*entry.config, place_in("handlers", name), mistakes_, *this);
    if (entry.config->is_object()) {
      ConfigSection section(node);
      const auto level = section.level("level");
      const auto formatter = formatter_of(node);
      const auto filters = filters_of(node);
      entry.made = make<Handler>(node, "handlers", "", handler_class);
      if (entry.made != nullptr) {
        if (level) entry.made->set_level(*level);
        if (formatter) entry.made->set_formatter(formatter);
        for (const auto& filter : filters) entry.made->add_filter(filter);
        plan_.handlers[name] = entry.made;
      }
    } else {
      node.wrong_kind(node.place(""), "an object", *entry.config);
    }
    entry.state = HandlerEntry::State::read;
  }

  std::shared_ptr<const Formatter> formatter_of(Node& node) {
    const auto name = ConfigSection(node).text("formatter");
    return name ? named(formatters_, *name, node, node.place("formatter"), "formatter") : nullptr;
  }

  std::vector<std::shared_ptr<const Filter>> filters_of(Node& node) {
    std::vector<std::shared_ptr<const Filter>> filters;
    for (const auto& [name, place] : node.texts_with_places("filters")) {
      if (auto filter = named(filters_, name, node, place, "filter")) {
        filters.push_back(std::move(filter));
      }
    }
    return filters;
  }

  template <class T>
  static std::shared_ptr<const T> named(const Named<T>& all, const std::string& name, Node& node,
                                        const std::string& place, const std::string& sort) {
    const auto found = all.find(name);
    if (found == all.end()) {
      node.mistake_at(place, "there is no " + sort + ' ' + in_quotes(name));
      return nullptr;
    }
    if (found->second == nullptr) node.spoil();
    return found->second;
  }

  // ---- Construction

  std::shared_ptr<Handler> find_handler(const std::string& name,
                                        const std::string& place) override {
    const auto found = handlers_.find(name);
    if (found == handlers_.end()) {
      mistakes_.push_back(place + ": there is no handler " + in_quotes(name));
      return nullptr;
    }
    if (found->second.state == HandlerEntry::State::being_read) {
      mistakes_.push_back(place + ": the handler " + in_quotes(name) +
                          " would get its own records");
      return nullptr;
    }
    read_handler(name, found->second);
    return found->second.made;
  }

  void open_late(LateOpening opening) override { files_.add(std::move(opening)); }

  void listen(std::string place, const std::shared_ptr<Handler>& handler,
              std::unique_ptr<QueueListener> listener) override {
    plan_.ears.push_back({std::move(place), handler, std::move(listener)});
  }

  // Those that run already stop when the plan is dropped.
  void start_listeners() {
    for (const Ear& ear : plan_.ears) {
      try {
        ear.listener->start();
      } catch (...) {
        mistakes_.push_back(ear.place +
                            ": the thread of its listener cannot be started: " + reason());
        return;
      }
    }
  }

  // ---- Loggers

  void read_levels_of_handlers(Node& top) {
    static_cast<void>(top.find("formatters"));
    static_cast<void>(top.find("filters"));
    each_object(top, "handlers", [this](const std::string& name, Node& node) {
      const auto level = ConfigSection(node).level("level");
      const auto found = present_.find(name);
      const auto handler = found == present_.end() ? nullptr : found->second.lock();
      if (handler == nullptr) {
        node.mistake("", "the configuration before has no handler of this name");
      } else if (level) {
        plan_.levels.emplace_back(handler, *level);
      }
    });
  }

  void read_logger(const std::string& name, Node& node, bool is_root) {
    ConfigSection section(node);
    LoggerPlan logger;
    logger.name = name;
    logger.level = section.level("level");
    if (plan_.incremental) {
      static_cast<void>(node.find("handlers"));
      static_cast<void>(node.find("filters"));
    } else {
      logger.handlers = section.handlers("handlers");
      logger.filters = filters_of(node);
    }
    if (!is_root) logger.propagate = section.flag("propagate");
    node.refuse_other_keys();
    plan_.loggers.push_back(std::move(logger));
  }

  const Json& config_;
  const HandlersByName& present_;
  Mistakes& mistakes_;
  Plan plan_;
  Named<Formatter> formatters_;
  Named<Filter> filters_;
  std::map<std::string, HandlerEntry> handlers_;
  LateFiles files_;
};

}  // namespace

Plan make_plan(const Json& config, const HandlersByName& present, Mistakes& mistakes) {
  return Reader(config, present, mistakes).read();
}

}  // namespace conc::logging::detail

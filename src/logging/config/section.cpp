#include "section.hpp"

#include <algorithm>
#include <utility>

namespace conc::logging {

namespace detail {

// ---- ConfigNode

const Json* ConfigNode::find(std::string_view key) {
  if (std::find(asked_.begin(), asked_.end(), key) == asked_.end()) asked_.emplace_back(key);
  const auto found = object_.find(std::string(key));
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

void ConfigNode::mistake_at(const std::string& place, std::string_view why) {
  mistaken_ = true;
  mistakes_.push_back((place.empty() ? "" : place + ": ") + std::string(why));
}

void ConfigNode::wrong_kind(const std::string& place, const char* wanted, const Json& got) {
  mistake_at(place, "must be " + std::string(wanted) + ", not " + shown(got));
}

std::optional<Level> ConfigNode::level_of(const std::string& place, const Json& value) {
  if (value.is_string()) {
    const auto& name = value.get_ref<const std::string&>();
    if (const auto level = level_from_name(name)) return level;
    mistake_at(place, in_quotes(name) +
                          " is no level; there are DEBUG, INFO, WARNING, ERROR, CRITICAL, those "
                          "that the program added, and numbers");
    return std::nullopt;
  }
  if (value.is_number_integer()) {
    if (value >= 0 && value <= std::numeric_limits<int>::max()) {
      return static_cast<Level>(value.get<int>());
    }
  }
  wrong_kind(place, "the name of a level or a number from 0", value);
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> ConfigNode::texts_with_places(
    std::string_view key) {
  std::vector<std::pair<std::string, std::string>> texts;
  const Json* const value = find(key);
  if (value == nullptr) return texts;
  if (!value->is_array()) {
    wrong_kind(place(key), "an array of strings", *value);
    return texts;
  }
  for (std::size_t i = 0; i != value->size(); ++i) {
    const Json& one = (*value)[i];
    std::string where = place_in(place(key), i);
    if (one.is_string()) {
      texts.emplace_back(one.get<std::string>(), std::move(where));
    } else {
      wrong_kind(where, "a string", one);
    }
  }
  return texts;
}

std::shared_ptr<Handler> ConfigNode::handler_of(const std::string& name, const std::string& place) {
  auto handler = construction_.find_handler(name, place);
  if (handler == nullptr) spoil();
  return handler;
}

ConfigNode* ConfigNode::child(std::string_view key) {
  const Json* const value = find(key);
  if (value == nullptr) return nullptr;
  if (!value->is_object()) {
    wrong_kind(place(key), "an object", *value);
    return nullptr;
  }
  children_.push_back(std::make_unique<ConfigNode>(*value, place(key), mistakes_, construction_));
  return children_.back().get();
}

bool ConfigNode::has_mistakes() const noexcept {
  return mistaken_ || std::any_of(children_.begin(), children_.end(),
                                  [](const auto& one) { return one->has_mistakes(); });
}

void ConfigNode::refuse_other_keys() {
  for (const auto& [key, _] : object_.items()) {
    if (std::find(asked_.begin(), asked_.end(), key) != asked_.end()) continue;
    mistake(key, asked_.empty() ? "there is no such key"
                                : "there is no such key, only " + listed(asked_));
  }
  for (const auto& one : children_) one->refuse_other_keys();
}

}  // namespace detail

// ---- ConfigSection

std::optional<std::string> ConfigSection::text(std::string_view key) {
  const detail::Json* const value = node_->find(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  node_->wrong_kind(node_->place(key), "a string", *value);
  return std::nullopt;
}

std::vector<std::string> ConfigSection::texts(std::string_view key) {
  std::vector<std::string> texts;
  for (auto& [text, _] : node_->texts_with_places(key)) texts.push_back(std::move(text));
  return texts;
}

std::optional<bool> ConfigSection::flag(std::string_view key) {
  const detail::Json* const value = node_->find(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  node_->wrong_kind(node_->place(key), "true or false", *value);
  return std::nullopt;
}

std::optional<std::int64_t> ConfigSection::number(std::string_view key, std::int64_t least,
                                                  std::int64_t most) {
  const detail::Json* const value = node_->find(key);
  if (value == nullptr) return std::nullopt;
  // The library compares signed and unsigned numbers by their values only when both are one kind.
  const bool fits =
      value->is_number_unsigned()
          ? most >= 0 && value->get<std::uint64_t>() <= static_cast<std::uint64_t>(most) &&
                (least < 0 || value->get<std::uint64_t>() >= static_cast<std::uint64_t>(least))
          : value->is_number_integer() && value->get<std::int64_t>() >= least &&
                value->get<std::int64_t>() <= most;
  if (fits) return value->get<std::int64_t>();
  const std::string wanted =
      "a whole number from " + std::to_string(least) +
      (most == std::numeric_limits<std::int64_t>::max() ? "" : " to " + std::to_string(most));
  node_->wrong_kind(node_->place(key), wanted.c_str(), *value);
  return std::nullopt;
}

std::optional<std::size_t> ConfigSection::choice(std::string_view key,
                                                 std::initializer_list<std::string_view> words) {
  const auto word = text(key);
  if (!word) return std::nullopt;
  const auto found = std::find(words.begin(), words.end(), *word);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  std::vector<std::string> all;
  for (const std::string_view one : words) all.push_back(detail::in_quotes(one));
  node_->mistake(key, detail::in_quotes(*word) + " is none of " + detail::listed(all));
  return std::nullopt;
}

std::optional<Level> ConfigSection::level(std::string_view key) {
  const detail::Json* const value = node_->find(key);
  return value == nullptr ? std::nullopt : node_->level_of(node_->place(key), *value);
}

std::shared_ptr<Handler> ConfigSection::handler(std::string_view key) {
  const auto name = text(key);
  return name ? node_->handler_of(*name, node_->place(key)) : nullptr;
}

std::vector<std::shared_ptr<Handler>> ConfigSection::handlers(std::string_view key) {
  std::vector<std::shared_ptr<Handler>> handlers;
  for (const auto& [name, place] : node_->texts_with_places(key)) {
    if (auto handler = node_->handler_of(name, place)) handlers.push_back(std::move(handler));
  }
  return handlers;
}

std::optional<ConfigSection> ConfigSection::section(std::string_view key) {
  detail::ConfigNode* const child = node_->child(key);
  return child == nullptr ? std::nullopt : std::optional(ConfigSection(*child));
}

std::optional<std::string> ConfigSection::json(std::string_view key) {
  const detail::Json* const value = node_->find(key);
  return value == nullptr ? std::nullopt : std::optional(value->dump());
}

void ConfigSection::mistake(std::string_view key, std::string_view why) {
  node_->mistake(key, why);
}

bool ConfigSection::has_mistakes() const noexcept { return node_->has_mistakes(); }

}  // namespace conc::logging

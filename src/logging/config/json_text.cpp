#include "json_text.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>

namespace conc::logging::detail {
namespace {

// Finds keys that stand twice in one object, which the parser itself does not mind.
class Doubles {
 public:
  explicit Doubles(Mistakes& mistakes) : mistakes_(mistakes) {}

  bool operator()(int, Json::parse_event_t event, const Json& value) {
    switch (event) {
      case Json::parse_event_t::object_start:
        open_.push_back({place(), {}, {}, false});
        break;
      case Json::parse_event_t::array_start:
        open_.push_back({place(), {}, {}, true});
        break;
      case Json::parse_event_t::key: {
        Open& object = open_.back();
        object.key = value.get_ref<const std::string&>();
        if (!object.seen.insert(object.key).second) {
          mistakes_.push_back(place_in(object.path, object.key) + ": the key stands there twice");
        }
        break;
      }
      case Json::parse_event_t::object_end:
      case Json::parse_event_t::array_end:
        open_.pop_back();
        [[fallthrough]];
      case Json::parse_event_t::value:
        if (!open_.empty()) ++open_.back().index;
        break;
    }
    return true;
  }

 private:
  struct Open {
    std::string path;
    std::set<std::string, std::less<>> seen;
    std::string key;
    bool array;
    std::size_t index = 0;
  };

  [[nodiscard]] std::string place() const {
    if (open_.empty()) return {};
    const Open& last = open_.back();
    return last.array ? place_in(last.path, last.index) : place_in(last.path, last.key);
  }

  Mistakes& mistakes_;
  std::vector<Open> open_;
};

}  // namespace

Json parse_json(std::string_view text, Mistakes& mistakes) {
  // Far deeper than any configuration. The places of what is deeper would be long.
  constexpr int deepest = 64;
  bool too_deep = false;
  try {
    // Called through a reference: the parser copies what it is given.
    Doubles doubles(mistakes);
    Json parsed = Json::parse(text, [&](int depth, Json::parse_event_t event, Json& value) {
      if (depth > deepest) {
        if (!std::exchange(too_deep, true)) mistakes.push_back("this is nested too deeply");
        return false;
      }
      return doubles(depth, event, value);
    });
    return too_deep ? Json() : parsed;
  } catch (const Json::exception& wrong) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
    std::string_view what = wrong.what();
    what.remove_prefix(std::min(what.size(), what.find("] ") + 2));
    mistakes.push_back("this is not JSON: " + std::string(what));
    return {};
  }
}

std::string place_in(std::string_view path, std::string_view key) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  std::string place(path);
  if (key.empty() || key.find_first_not_of(plain) != std::string_view::npos) {
    return place + '[' + in_quotes(key) + ']';
  }
  if (!place.empty()) place += '.';
  return place += key;
}

std::string place_in(std::string_view path, std::size_t index) {
  return std::string(path) + '[' + std::to_string(index) + ']';
}

std::string in_quotes(std::string_view text) {
  return Json(std::string(text)).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string shown(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i != words.size(); ++i) {
    if (i != 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

}  // namespace conc::logging::detail

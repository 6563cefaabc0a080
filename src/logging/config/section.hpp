// ConfigNode: an object of the configuration while it is read.
#pragma once

#include <conc/logging/config.hpp>
#include <conc/logging/file_handler.hpp>
#include <conc/logging/queue_listener.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json_text.hpp"

namespace conc::logging {
namespace detail {

// A file that is opened when everything else of the configuration is right.
struct LateOpening {
  std::string place;  // in the JSON
  std::filesystem::path file;
  bool truncates;
  std::shared_ptr<FileHandler> handler;  // that it is given to; null after a mistake
};

// What is made of the configuration.
class Construction {
 public:
  virtual ~Construction() = default;
  // Null after a mistake, which is named at `place` if the name is wrong.
  virtual std::shared_ptr<Handler> find_handler(const std::string& name,
                                                const std::string& place) = 0;
  virtual void open_late(LateOpening opening) = 0;
  // The listener is started when everything else is right, and lives as long as the handler is
  // used.
  virtual void listen(std::string place, const std::shared_ptr<Handler>& handler,
                      std::unique_ptr<QueueListener> listener) = 0;
};

class ConfigNode {
 public:
  // All must outlive it.
  ConfigNode(const Json& object, std::string path, Mistakes& mistakes, Construction& construction)
      : object_(object), path_(std::move(path)), mistakes_(mistakes), construction_(construction) {}

  [[nodiscard]] static ConfigNode& of(ConfigSection& section) noexcept { return *section.node_; }
  [[nodiscard]] Construction& construction() noexcept { return construction_; }

  // The value, or null when the key is not there or is the JSON null.
  [[nodiscard]] const Json* find(std::string_view key);

  [[nodiscard]] std::string place(std::string_view key) const {
    return key.empty() ? path_ : place_in(path_, key);
  }
  void mistake(std::string_view key, std::string_view why) { mistake_at(place(key), why); }
  void mistake_at(const std::string& place, std::string_view why);

  // "..., and not 7"
  void wrong_kind(const std::string& place, const char* wanted, const Json& got);

  [[nodiscard]] std::optional<Level> level_of(const std::string& place, const Json& value);
  // The strings of an array; what is none is a mistake and left out.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> texts_with_places(
      std::string_view key);
  [[nodiscard]] std::shared_ptr<Handler> handler_of(const std::string& name,
                                                    const std::string& place);
  [[nodiscard]] ConfigNode* child(std::string_view key);

  [[nodiscard]] bool has_mistakes() const noexcept;
  // Something that it refers to is not right, which is named there.
  void spoil() noexcept { mistaken_ = true; }

  // Names the keys that nobody has asked for, here and in objects in this one.
  void refuse_other_keys();

 private:
  const Json& object_;
  const std::string path_;
  Mistakes& mistakes_;
  Construction& construction_;
  std::vector<std::string> asked_;
  std::vector<std::unique_ptr<ConfigNode>> children_;
  bool mistaken_ = false;
};

}  // namespace detail
}  // namespace conc::logging

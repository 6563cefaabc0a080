// JSON as the configuration has it, and where in it something is.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace conc::logging::detail {

using Json = nlohmann::json;

using Mistakes = std::vector<std::string>;

// What `text` holds. A mistake is a text that is not JSON, or has arrays and objects in each other
// without end; the value is null then. A key that an object has twice is one as well.
// Throws std::bad_alloc.
[[nodiscard]] Json parse_json(std::string_view text, Mistakes& mistakes);

// The place of `key` in the object at `path`: handlers.file.level, loggers["shop.db"].level.
[[nodiscard]] std::string place_in(std::string_view path, std::string_view key);
[[nodiscard]] std::string place_in(std::string_view path, std::size_t index);

// "the number 7", "an array": what stands there instead of what should.
[[nodiscard]] std::string shown(const Json& value);
[[nodiscard]] std::string in_quotes(std::string_view text);

// "a, b and c".
[[nodiscard]] std::string listed(const std::vector<std::string>& words);

}  // namespace conc::logging::detail

// Fields as text.
#pragma once

#include <conc/logging/field.hpp>

#include <span>
#include <string>

namespace conc::logging::detail {

// Appends the number as a message has it where the format says "{}".
void append_real(double number, std::string& out);

// Appends: bytes=12 to="a b" ok=true. Text stands in quotation marks when it is more than one word.
// Of several fields of one name the last one alone.
void append_fields(std::span<const Field> fields, std::string& out);

// Appends: {"bytes":12,"to":"a b","ok":true}. Numbers that JSON does not have are text.
void append_json_object(std::span<const Field> fields, std::string& out);

}  // namespace conc::logging::detail

#pragma once

#include <string>
#include <string_view>

namespace pilotfish::app {

// Values from outside (targets, header values, registry notes) reach terminals and log pipelines
// through these functions alone, so that no byte of theirs can end a line, forge a field or drive
// a terminal. Pure.

/// Appends a text value: as it is where it holds nothing but harmless characters, else in double
/// quotes with \" \\ \n \r \t and \xNN for control bytes, C1 controls and what is no UTF-8.
void append_text_value(std::string& out, std::string_view value);

/// Appends the text with controls and invalid bytes escaped, spaces and quotes kept (messages).
void append_text_message(std::string& out, std::string_view message);

/// Appends a JSON string with its quotes. Bytes that are no UTF-8 become \u00NN.
void append_json_string(std::string& out, std::string_view value);

/// The value with every invalid byte replaced by U+FFFD, for serializers that want UTF-8.
[[nodiscard]] std::string clean_utf8(std::string_view value);

}  // namespace pilotfish::app

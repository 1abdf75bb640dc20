#pragma once

#include <chrono>
#include <string>

#include "config/root_options.hpp"
#include "proxy/access_log.hpp"

namespace pilotfish::app {

/// Appends one access log line with its newline. Text is `key=value` with what is empty left out;
/// JSON has every key except method, target and status of a TCP connection. Times are UTC with
/// milliseconds. Every value that came from outside is escaped. Pure.
void append_access_line(std::string& out, const proxy::AccessRecord& record,
                        std::chrono::system_clock::time_point when, config::LogFormat format);

}  // namespace pilotfish::app

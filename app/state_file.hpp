#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace pilotfish::app {

/// What reading gave. Neither text nor problem: there is no such file.
struct StateText {
  std::optional<std::string> text;
  std::string problem;
};

/// Reads a regular file of at most `max` bytes whole. Never waits (not for a FIFO either).
[[nodiscard]] StateText read_state_file(const std::string& path, std::size_t max);

/// Replaces a file so that after a crash either the old or the new text is there, never a part:
/// `path`.tmp, fsync, rename, fsync of the directory. Gives what failed, empty where nothing did.
[[nodiscard]] std::string replace_state_file(const std::string& path, const std::string& text);

/// Creates the directory where it is missing; gives why nothing could be written there.
[[nodiscard]] std::string prepare_state_directory(const std::string& path);

}  // namespace pilotfish::app

#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace pilotfish::bench {

/// A proxy that can take part in a benchmark, as its file in `bench/peers` describes it; the format
/// is in docs/benchmarks.md. Values only.
struct Peer {
  std::string name;
  std::string about;                 ///< one line: how it is set up
  std::string program;               ///< its name on PATH
  std::string variable;              ///< environment variable with its path
  std::string cached;                ///< below the cache folder, where it may be
  std::string get;                   ///< how to get it
  std::vector<std::string> version;  ///< command that prints its version
  std::vector<std::string> command;  ///< command that runs it in the foreground
  /// Path that its admin port answers with 200 once it can serve; empty: it accepts connections.
  std::string ready;
  std::string file = "proxy.conf";                    ///< what its configuration is called
  std::map<std::string, std::string> configurations;  ///< template name -> text
  std::map<std::string, std::string> lacks;           ///< template name -> why there is none
};

/// Reads one. Throws WrongPeer with `FILE:LINE: what is wrong`. Pure.
[[nodiscard]] Peer parse_peer(std::string_view text, std::string_view file);

struct WrongPeer : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The peers that are built in, and those that were named by a path.
class Peers {
 public:
  /// The ones that are built in.
  Peers();
  /// A name, or the path of a file: anything with a slash or a `.yaml` at its end. Throws WrongPeer
  /// where there is none, with the names that there are.
  [[nodiscard]] Peer find(const std::string& name_or_path) const;
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  std::map<std::string, Peer, std::less<>> peers_;
};

/// The peer's executable: its variable, PATH and the sbin folders, the cache. Empty where it is
/// nowhere. `pilotfish` is found beside our own executable.
[[nodiscard]] std::optional<std::filesystem::path> find_program(const Peer& peer);

}  // namespace pilotfish::bench

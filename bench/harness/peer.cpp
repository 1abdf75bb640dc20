#include "bench/harness/peer.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include "bench/harness/builtin_peers.hpp"

namespace pilotfish::bench {
namespace {

namespace fs = std::filesystem;

class Reader {
 public:
  explicit Reader(std::string_view file) : file_(file) {}

  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& what) const {
    throw WrongPeer(file_ + ":" + std::to_string(mark.line + 1) + ": " + what);
  }

  std::string text(const YAML::Node& node, const std::string& key) const {
    if (!node.IsScalar()) fail(node.Mark(), key + " is a text");
    return node.Scalar();
  }

  std::vector<std::string> words(const YAML::Node& node, const std::string& key) const {
    if (!node.IsSequence() || node.size() == 0) fail(node.Mark(), key + " is a list of words");
    std::vector<std::string> result;
    for (const auto& word : node) result.push_back(text(word, "a word of " + key));
    return result;
  }

  std::map<std::string, std::string> texts(const YAML::Node& node, const std::string& key) const {
    if (!node.IsMap()) fail(node.Mark(), key + " is a map of texts");
    std::map<std::string, std::string> result;
    for (const auto& entry : node) {
      const auto name = text(entry.first, "a key of " + key);
      result[name] = text(entry.second, key + ": " + name);
    }
    return result;
  }

  Peer peer(const YAML::Node& root) const {
    if (!root.IsMap()) fail(root.Mark(), "a peer is a map with name, program, command, ...");
    Peer peer;
    for (const auto& entry : root) take(peer, text(entry.first, "a key"), entry);
    if (peer.name.empty()) fail(root.Mark(), "name is missing");
    if (peer.program.empty()) fail(root.Mark(), "program is missing");
    if (peer.command.empty()) fail(root.Mark(), "command is missing");
    if (peer.configurations.empty()) fail(root.Mark(), "configurations is missing");
    return peer;
  }

 private:
  template <class Entry>
  void take(Peer& peer, const std::string& key, const Entry& entry) const {
    const std::map<std::string_view, std::string*> simple = {
        {"name", &peer.name},         {"about", &peer.about},   {"program", &peer.program},
        {"variable", &peer.variable}, {"cached", &peer.cached}, {"get", &peer.get},
        {"ready", &peer.ready},       {"file", &peer.file}};
    const YAML::Node& value = entry.second;
    if (const auto found = simple.find(key); found != simple.end()) {
      *found->second = text(value, key);
    } else if (key == "version") {
      peer.version = words(value, key);
    } else if (key == "command") {
      peer.command = words(value, key);
      if (peer.command.front() != "{program}") {
        fail(value.Mark(), "command begins with \"{program}\", the path of what was found");
      }
    } else if (key == "configurations") {
      peer.configurations = texts(value, key);
    } else if (key == "lacks") {
      peer.lacks = texts(value, key);
    } else {
      fail(entry.first.Mark(),
           "unknown key \"" + key +
               "\"; there are: name about program variable cached get ready file version command "
               "configurations lacks");
    }
  }

  const std::string file_;
};

bool is_path(const std::string& text) {
  return text.find('/') != std::string::npos || text.ends_with(".yaml");
}

bool runs(const fs::path& path) {
  return ::access(path.c_str(), X_OK) == 0 && !fs::is_directory(path);
}

std::optional<fs::path> on_path(const std::string& program) {
  if (program.find('/') != std::string::npos) {
    return runs(program) ? std::optional(fs::absolute(program)) : std::nullopt;
  }
  const char* variable = std::getenv("PATH");
  std::istringstream folders(std::string(variable != nullptr ? variable : "") +
                             ":/usr/local/sbin:/usr/sbin:/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (!folder.empty() && runs(fs::path(folder) / program)) return fs::path(folder) / program;
  }
  return std::nullopt;
}

std::optional<fs::path> in_cache(const std::string& cached) {
  const auto set = [](const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? fs::path(value) : fs::path();
  };
  fs::path cache = set("PILOTFISH_CACHE");
  if (cache.empty() && !set("XDG_CACHE_HOME").empty()) cache = set("XDG_CACHE_HOME") / "pilotfish";
  if (cache.empty()) cache = set("HOME") / ".cache/pilotfish";
  const auto path = cache / "bin" / cached;
  return !cached.empty() && runs(path) ? std::optional(path) : std::nullopt;
}

}  // namespace

Peer parse_peer(std::string_view text, std::string_view file) {
  const Reader reader(file);
  try {
    return reader.peer(YAML::Load(std::string(text)));
  } catch (const YAML::Exception& error) {
    reader.fail(error.mark, error.msg);
  }
}

Peers::Peers() {
  for (const auto& [file, text] : builtin_peers()) {
    auto peer = parse_peer(text, file);
    auto name = peer.name;
    peers_.emplace(std::move(name), std::move(peer));
  }
}

Peer Peers::find(const std::string& name_or_path) const {
  if (const auto found = peers_.find(name_or_path); found != peers_.end()) return found->second;
  if (!is_path(name_or_path)) {
    std::string known;
    for (const auto& name : names()) known += " " + name;
    throw WrongPeer("no contender \"" + name_or_path + "\"; there are:" + known +
                    " direct, or the path of a file that describes one");
  }
  std::ifstream file(name_or_path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw WrongPeer(name_or_path + ": cannot be read");
  return parse_peer(text.str(), name_or_path);
}

std::vector<std::string> Peers::names() const {
  std::vector<std::string> result;
  for (const auto& [name, peer] : peers_) result.push_back(name);
  return result;
}

std::optional<fs::path> find_program(const Peer& peer) {
  if (!peer.variable.empty()) {
    const char* named = std::getenv(peer.variable.c_str());
    if (named != nullptr && *named != '\0') return on_path(named);
  }
  std::error_code ec;
  const auto own = fs::read_symlink("/proc/self/exe", ec);
  if (peer.program == "pilotfish" && !ec && runs(own.parent_path() / peer.program)) {
    return own.parent_path() / peer.program;
  }
  if (auto cached = in_cache(peer.cached)) return cached;
  return on_path(peer.program);
}

}  // namespace pilotfish::bench

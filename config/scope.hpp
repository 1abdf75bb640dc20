#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.hpp"
#include "config/names.hpp"

namespace pilotfish::config {

/// What is wrong with a file so far, in the order of discovery.
using Findings = std::vector<SyntaxError>;

/// Where reading stands: the path for messages ("upstreams.billing.lookup"; empty at the top) and
/// the place of the key that holds the value. A value; `findings` outlives it.
class Scope {
 public:
  explicit Scope(Findings& findings) : findings_(&findings) {}

  [[nodiscard]] Scope child(std::string_view key, Position key_at) const {
    Scope out(*findings_);
    // A key from the file may be anything; a message stays one line.
    out.path_ =
        path_ + (path_.empty() ? "" : ".") + (is_plain_name(key) ? std::string(key) : quote(key));
    out.at_ = key_at;
    return out;
  }
  /// The same path at another place: for items of a list.
  [[nodiscard]] Scope at(Position place) const {
    Scope out = *this;
    out.at_ = place;
    return out;
  }

  /// The same path, reporting somewhere else.
  [[nodiscard]] Scope into(Findings& findings) const {
    Scope out = *this;
    out.findings_ = &findings;
    return out;
  }
  void append(Findings findings) const {
    std::ranges::move(findings, std::back_inserter(*findings_));
  }

  /// `PATH: message` at a place; returns false, so that readers can `return scope.fail(...)`.
  bool fail(Position place, const std::string& message) const {
    return fail_plainly(place, path_.empty() ? message : path_ + ": " + message);
  }
  bool fail_plainly(Position place, std::string message) const {
    findings_->push_back({place, std::move(message)});
    return false;
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] Position key_at() const { return at_; }

 private:
  Findings* findings_;
  std::string path_;
  Position at_;
};

}  // namespace pilotfish::config

#pragma once

#include "net/deadlines.hpp"
#include "proxy/connection.hpp"

namespace pilotfish::proxy {

/// A deadline of a session's own: cancels what waits on the client, and remembers that it did.
/// Ownership: a member of its session. Thread-safety: none.
class ClientDeadline final : public net::Deadline {
 public:
  ClientDeadline(net::Deadlines& wheel, ClientStream& stream) : Deadline(wheel), stream_(stream) {}
  /// Also cancels `other` on expiry (what a pump writes to); nullptr for none.
  void also_cancel(UpstreamStream* other) { other_ = other; }
  /// Nothing is expected any more, and what was, was in time.
  void clear() {
    Deadline::clear();
    expired_ = false;
  }
  void expect_within(TimePoint at) {
    expired_ = false;
    set(at);
  }
  [[nodiscard]] bool expired() const { return expired_; }

 private:
  void on_deadline() override {
    expired_ = true;
    stream_.cancel();
    if (other_ != nullptr) {
      other_->cancel();
    }
  }
  ClientStream& stream_;
  UpstreamStream* other_ = nullptr;
  bool expired_ = false;
};

}  // namespace pilotfish::proxy

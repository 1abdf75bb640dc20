#include "proxy/connection.hpp"

#include <algorithm>

namespace pilotfish::proxy {

void Connection::on_deadline() {
  const auto now = Clock::now();
  if (silence_ > Duration::zero() && now < last_) {
    if (!stream.unheard_for(silence_)) {
      set(std::min(last_, now + silence_));
      return;
    }
    lost_ = true;
  } else {
    expired_ = true;
  }
  stream.cancel();
}

ConnectionPtr InstanceLink::take(bool surely) {
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    auto& stream = connection->stream;
    if (!(surely ? stream.disturbed() : stream.seems_disturbed())) {
      connection->reused = true;
      return connection;
    }
  }
  return nullptr;
}

void InstanceLink::give(ConnectionPtr connection, TimePoint now) {
  connection->clear();
  connection->in.release();
  connection->idle_since = now;
  idle_.push_back(std::move(connection));
}

void InstanceLink::prune(TimePoint limit) {
  std::erase_if(idle_, [limit](const ConnectionPtr& connection) {
    return connection->idle_since < limit || connection->stream.disturbed();
  });
}

bool InstanceLink::close_one() {
  if (idle_.empty()) {
    return false;
  }
  idle_.erase(idle_.begin());
  return true;
}

}  // namespace pilotfish::proxy

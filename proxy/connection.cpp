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

bool Connection::rest(InstanceLink* pool, TimePoint now) {
  clear();
  in.release();
  idle_since = now;
  pool_ = pool;
  return pool == nullptr || !stream.watch(*this, net::HangUp::kEnd);
}

void Connection::hung_up() {
  pool_->ended(*this);
}

void ClosingHabit::closed_after(Duration idle, TimePoint now) {
  if (now - seen_ > kRemembered || idle < shortest_) {
    shortest_ = idle;
    seen_ = now;
  } else if (idle / 2 <= shortest_) {
    seen_ = now;  // the same again, more or less
  }
}

ConnectionPtr InstanceLink::take(Care care, TimePoint now) {
  while (!idle_.empty()) {
    if (care == Care::kHabit && now - idle_.back()->idle_since >= habit.safe_idle(now)) {
      return nullptr;
    }
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    auto& stream = connection->stream;
    if (!(care == Care::kEvents ? stream.seems_disturbed() : stream.disturbed())) {
      connection->resume();
      return connection;
    }
    habit.closed_after(now - connection->idle_since, now);
  }
  return nullptr;
}

void InstanceLink::give(ConnectionPtr connection, TimePoint now) {
  if (connection->rest(this, now)) {
    idle_.push_back(std::move(connection));
  } else {
    habit.closed_after(Duration::zero(), now);
  }
}

void InstanceLink::ended(const Connection& connection) {
  const auto now = Clock::now();
  habit.closed_after(now - connection.idle_since, now);
  const auto found = std::ranges::find(idle_, &connection, &ConnectionPtr::get);
  if (found != idle_.end()) {
    idle_.erase(found);
  }
}

void InstanceLink::prune(TimePoint limit) {
  std::erase_if(idle_, [limit](const ConnectionPtr& connection) {
    return connection->idle_since < limit || connection->stream.disturbed();
  });
}

void InstanceLink::replace_one() {
  if (!idle_.empty()) {
    idle_.front()->stream.reset();
    idle_.erase(idle_.begin());
  }
}

bool InstanceLink::close_one() {
  if (idle_.empty()) {
    return false;
  }
  idle_.erase(idle_.begin());
  return true;
}

}  // namespace pilotfish::proxy

// What of a request decides where it may go: its hash key, its header, its cookie, its share.
#include "proxy/hash_key.hpp"
#include "proxy/http_session.hpp"
#include "proxy/sticky.hpp"

namespace pilotfish::proxy {

/// Ours alone: the instance does not get to see it.
void HttpSession::take_cookie() {
  if (const auto& sticky = options().sticky; !sticky.cookie.empty()) {
    sticky_ = take_sticky_cookie(request_, sticky.cookie, scratch_->cookies);
  }
}

/// What the request itself says of where it goes, or the share it falls into. At its first pick:
/// what it waited for before may have brought, or taken, whom its cookie means.
void HttpSession::select() {
  selected_ = true;
  if (const auto& header = options().choose_by; !header.empty()) {
    const auto* field = find_field(request_, header);
    wanted_ = field == nullptr ? 0 : upstream_->named(field->value);
  }
  wish_ = Wish::kHeader;
  if (wanted_ == 0 && upstream_->kept(sticky_) != nullptr) {
    wish_ = Wish::kCookie;
  } else if (wanted_ == 0) {
    wanted_ = upstream_->draw_share();
    wish_ = wanted_ == 0 ? Wish::kNone : Wish::kShare;
  }
  tiers_turn_ = upstream_->tiers_turn();
}

balancer::PickContext HttpSession::pick_context(TimePoint now) {
  if (!selected_) {
    select();
  }
  balancer::PickContext context;
  context.now = now;
  context.tried = {scratch_->tried.data(), tried_count_};
  context.lasting = request_.upgrade;
  if (uses_hash(options().cluster.algorithm)) {
    context.hash = hash_key(options().hash_on, client_endpoint_, request_);
  }
  context.wanted = wanted();
  if (sticky_ != 0) {
    context.keep = upstream_->kept(sticky_);
  }
  return context;
}

/// The field that keeps the client with this instance, where it is not there already.
std::string_view HttpSession::cookie_field() {
  const auto& sticky = options().sticky;
  if (sticky.cookie.empty() || (status_ >= 502 && status_ <= 504)) {
    return {};
  }
  scratch_->cookies.clear();
  if (const auto value = sticky_value(options().name, *instance_); value != sticky_) {
    write_sticky_cookie(sticky.cookie, value, sticky.ttl, scratch_->cookies);
  }
  return scratch_->cookies;
}

}  // namespace pilotfish::proxy

#include "registry/etcd_client.hpp"

#include <algorithm>

#include "registry/etcd_codec.hpp"
#include "registry/local_end.hpp"

namespace pilotfish::registry {

std::string etcd_problem(const http::ClientResult& result) {
  if (!result.answered()) {
    return result.error;
  }
  const auto words = etcd::error_text(result.body);
  auto text =
      "etcd answered " + std::to_string(result.status) + (words.empty() ? "" : ": ") + words;
  if (result.status == 404 && words.find("not found") == std::string::npos) {
    text += " (is this etcd 3.4 or later, with its JSON gateway on?)";
  }
  if (result.status == 401 || result.status == 403) {
    text += " (etcd with users and roles is not supported)";
  }
  return text;
}

EtcdClient::EtcdClient(std::shared_ptr<RegistrarContext> context) : context_(std::move(context)) {
  for (const auto& url : context_->options.etcd.endpoints) {
    if (auto target = http::ClientTarget::parse(url)) {
      targets_.push_back(std::move(*target));
    } else {
      context_->log(LogLevel::kError, "not an address of etcd (http://HOST:PORT)", {{"url", url}});
    }
  }
}

net::Awaitable<http::ClientResult> EtcdClient::post(std::string path, std::string body,
                                                    TimePoint deadline) {
  http::ClientResult result;
  result.error = "no etcd endpoint is configured";
  const auto first = current_;
  bool sent = false;
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    const auto index = (first + i) % targets_.size();
    http::ClientRequest request;
    request.method = "POST";
    request.path = path;
    request.body = body;
    // A silent endpoint must leave time for those behind it.
    const auto now = Clock::now();
    const auto share = (deadline - now) / static_cast<Duration::rep>(targets_.size() - i);
    result =
        co_await http::fetch(context_->executor, targets_[index], std::move(request), now + share);
    sent = sent || result.sent;
    if (result.answered() && result.status < 500) {
      current_ = index;
      break;
    }
  }
  result.sent = sent;
  note(result);
  co_return result;
}

void EtcdClient::note(const http::ClientResult& result) {
  const bool lost = !result.answered();
  if (lost && !unreachable_) {
    context_->log(LogLevel::kWarn, "etcd not reachable; records wait for it",
                  {{"error", result.error}});
  } else if (!lost && unreachable_) {
    context_->log(LogLevel::kInfo, "etcd answers again",
                  {{"endpoint", targets_[current_].to_string()}});
  }
  unreachable_ = lost;
}

net::Awaitable<std::string> EtcdClient::local_address(TimePoint deadline) {
  std::string address;
  for (std::size_t i = 0; i < targets_.size() && address.empty(); ++i) {
    address = co_await local_end(context_->executor, targets_[i].host, targets_[i].port, deadline);
  }
  co_return address;
}

}  // namespace pilotfish::registry

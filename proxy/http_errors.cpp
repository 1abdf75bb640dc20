// What the application gets where no instance's answer can be had (docs/how-it-decides.md).
#include "http/h1_writer.hpp"
#include "proxy/http_session.hpp"

namespace pilotfish::proxy {

using balancer::Outcome;

namespace {

std::string last_try(std::uint32_t tries, const balancer::InstanceState& instance,
                     const std::string& text) {
  return " (" + std::to_string(tries) + (tries == 1 ? " try" : " tries") +
         ", the last: " + instance.name + ", " + text + ")";
}

}  // namespace

net::Awaitable<void> HttpSession::fail(TryEnd end) {
  switch (end) {
    case TryEnd::kReset:
    case TryEnd::kBadAnswer:
      if (answered_in_tls_) {
        co_await answer_own(502, "http_protocol_error",
                            "the instance " + instance_->name +
                                " seems to speak TLS, which is not built yet; protocol: tcp "
                                "passes an application's own TLS through");
        break;
      }
      if (end == TryEnd::kReset) {
        co_await answer_own(502, "connection_terminated",
                            "the instance closed the connection before its answer was whole");
        break;
      }
      co_await answer_own(502, "http_protocol_error", "the instance's answer is no valid HTTP");
      break;
    case TryEnd::kTimeout:
      co_await answer_own(504, "http_response_timeout",
                          "the instance did not answer within request_timeout");
      break;
    case TryEnd::kClientStalled:
      co_await answer_own(408, "http_request_error", "the request's body stalled");
      break;
    case TryEnd::kBadBody:
      co_await answer_own(400, "http_request_error", "malformed request body");
      break;
    case TryEnd::kBodyTooLarge:
      co_await answer_own(413, "http_request_error",
                          "the request's body is larger than limits.body");
      break;
    default:
      alive_ = false;
      error_ = gone();
      break;
  }
}

net::Awaitable<void> HttpSession::refuse_protocol(Foreign protocol) {
  const bool tls = protocol == Foreign::kTls;
  worker_->trouble.say(
      LogLevel::kWarn, options().name,
      tls ? "a client speaks TLS to a plain port" : "a client speaks HTTP/2 to an HTTP/1.1 port",
      std::string(foreign_advice(protocol)), {{"client", client_endpoint_.to_string()}});
  co_await refuse(400, "http_request_error", foreign_advice(protocol));
}

net::Awaitable<void> HttpSession::fail_open(const Opened& opened) {
  finish_try(Outcome::kNeutral);
  const auto& limits = options().limits;
  switch (opened.error) {
    case OpenError::kConnect:
      co_await answer_own(503, "connection_refused",
                          "every instance that was tried refused the connection" +
                              last_try(tries_, *instance_, opened.text));
      break;
    case OpenError::kTimeout:
      co_await answer_own(504, "connection_timeout",
                          "no instance accepted a connection within connect_timeout" +
                              last_try(tries_, *instance_, opened.text));
      break;
    case OpenError::kQueueFull:
      co_await answer_own(503, "connection_limit_reached",
                          "limits.connections is reached (" + std::to_string(limits.connections) +
                              ") and limits.pending requests wait already (" +
                              std::to_string(limits.pending) + ")");
      break;
    case OpenError::kQueueTimeout:
      co_await answer_own(503, "connection_limit_reached",
                          "limits.connections is reached (" + std::to_string(limits.connections) +
                              ") and none became free in connect_timeout");
      break;
    case OpenError::kDescriptors:
      co_await answer_own(503, "proxy_internal_error",
                          "pilotfish has no free file descriptor: raise its limit (ulimit -n)");
      break;
    case OpenError::kNoLocalPort:
      co_await answer_own(503, "proxy_internal_error",
                          "pilotfish has no free local port towards the instance: "
                          "net.ipv4.ip_local_port_range, or fewer connections that are closed" +
                              last_try(tries_, *instance_, opened.text));
      break;
    case OpenError::kInstanceLost:
    case OpenError::kCalledOff: break;  // not asked for
  }
}

void HttpSession::log_own(int status, std::string_view error, const std::string& text) {
  if (status < 500) {
    return;  // the application's own doing; the access log has it
  }
  std::string why = text;
  if (instance_ && text.find(instance_->name) == std::string::npos) {
    why += "; instance " + instance_->name + ", " + std::to_string(tries_) +
           (tries_ == 1 ? " try" : " tries");
  }
  worker_->trouble.say(LogLevel::kWarn, options().name,
                       "answered " + std::to_string(status) + " " + std::string(error),
                       std::move(why), {{"client", client_endpoint_.to_string()}});
}

net::Awaitable<void> HttpSession::answer_own(int status, std::string_view error, std::string text) {
  http::OwnAnswer answer;
  answer.status = status;
  answer.error = error;
  answer.text = text;
  answer.close = status < 500;
  log_own(status, error, text);
  error_ = error;
  co_await send_own(answer);
}

net::Awaitable<void> HttpSession::answer_last_hop() {
  http::OwnAnswer answer;
  answer.status = 200;
  answer.close = false;
  std::string received;
  if (request_.method == http::Method::kTrace) {
    http::write_trace(request_, received);
    answer.body = received;
    answer.type = "message/http";
  }
  co_await send_own(answer);
}

net::Awaitable<void> HttpSession::send_own(http::OwnAnswer& answer) {
  // Only after a request that was read to its end may another one follow.
  answer.close = answer.close || !request_.keep_alive || !body_.complete() || drain_closes();
  answer.client_is_10 = request_.version == http::Version::k10;
  answer.head_only = request_.method == http::Method::kHead;
  answer.date = worker_->date();
  scratch_->answer_bytes.clear();
  body_out_ = http::write_own_answer(answer, scratch_->answer_bytes);
  if (answer.close) {
    alive_ = false;
    unread_input_ = true;
  }
  status_ = answer.status;
  net::Gather gather;
  gather.add(scratch_->answer_bytes);
  if (const auto failed = co_await send_to_client(gather)) {
    alive_ = false;
  }
}

}  // namespace pilotfish::proxy

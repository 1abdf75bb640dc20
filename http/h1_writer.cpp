#include "http/h1_writer.hpp"

#include <array>
#include <charconv>

namespace pilotfish::http {
namespace {

constexpr std::string_view kVia = "Via: 1.1 pilotfish\r\n";

void append_field(std::string_view name, std::string_view value, std::string& out) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void append_number(std::uint64_t number, std::string& out) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

/// Fields a `Connection` field cannot make us drop: framing, routing and what we vouch for.
bool is_protected(const Field& field) {
  switch (field.known) {
    case Known::kHost:
    case Known::kContentLength:
    case Known::kTransferEncoding:
    case Known::kForwardedFor:
    case Known::kVia: return true;
    default: break;
  }
  return iequals(field.name, "authorization") || iequals(field.name, "cookie") ||
         iequals(field.name, "set-cookie") || iequals(field.name, "content-type") ||
         iequals(field.name, "cache-control") || iequals(field.name, "forwarded") ||
         iequals(field.name, "x-forwarded-host") || iequals(field.name, "x-forwarded-proto") ||
         iequals(field.name, "x-real-ip");
}

bool named_in_connection(const Head& head, std::string_view name) {
  bool named = false;
  for (const auto& field : head.fields) {
    if (field.known == Known::kConnection) {
      for_each_token(field.value, [&](std::string_view token) {
        named = named || iequals(token, name);
        return !named;
      });
    }
  }
  return named;
}

/// True for what ends at this hop; framing fields are written anew by the caller.
bool ends_here(const Head& head, const Field& field) {
  switch (field.known) {
    case Known::kConnection:
    case Known::kKeepAlive:
    case Known::kProxyConnection:
    case Known::kProxyAuthenticate:
    case Known::kProxyAuthorization:
    case Known::kTe:
    case Known::kTransferEncoding:
    case Known::kUpgrade:
    case Known::kHttp2Settings: return true;
    case Known::kOther: break;
    default: return false;
  }
  return head.named_in_connection && !is_protected(field) && named_in_connection(head, field.name);
}

bool accepts_trailers(const Head& head) {
  bool accepts = false;
  for (const auto& field : head.fields) {
    if (field.known == Known::kTe) {
      for_each_token(field.value, [&](std::string_view token) {
        accepts = accepts || iequals(token, "trailers");
        return !accepts;
      });
    }
  }
  return accepts;
}

/// The Upgrade tokens that may pass: all but h2c.
void append_upgrade(const Head& head, std::string& out) {
  out.append("Connection: upgrade\r\nUpgrade: ");
  bool first = true;
  for (const auto& field : head.fields) {
    if (field.known == Known::kUpgrade) {
      for_each_token(field.value, [&](std::string_view token) {
        if (!iequals(token, "h2c")) {
          out.append(first ? "" : ", ").append(token);
          first = false;
        }
        return true;
      });
    }
  }
  out.append("\r\n");
}

}  // namespace

void write_request(const RequestHead& head, const RequestRewrite& rewrite, std::string& out) {
  out.append(head.method_text).append(" ").append(head.path).append(" HTTP/1.1\r\n");
  if (!head.authority.empty()) {
    append_field("Host", head.authority, out);
  } else if (head.host.empty()) {
    append_field("Host", rewrite.fallback_host, out);
  }
  bool forwarded = false;
  for (const auto& field : head.fields) {
    if (ends_here(head, field) || (field.known == Known::kHost && !head.authority.empty())) {
      continue;
    }
    if (field.known == Known::kForwardedFor) {
      if (forwarded) {
        continue;  // already joined into the first
      }
      forwarded = true;
      out.append(field.name).append(": ");
      for (const auto& other : head.fields) {
        if (other.known == Known::kForwardedFor && !other.value.empty()) {
          out.append(other.value).append(", ");
        }
      }
      out.append(rewrite.client_address).append("\r\n");
      continue;
    }
    append_field(field.name, field.value, out);
  }
  if (!forwarded) {
    append_field("X-Forwarded-For", rewrite.client_address, out);
  }
  out.append(kVia);
  if (head.framing == Framing::kChunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
  if (head.upgrade) {
    append_upgrade(head, out);
  } else if (accepts_trailers(head)) {
    out.append("Connection: te\r\nTE: trailers\r\n");
  }
  out.append("\r\n");
}

void write_response(const ResponseHead& head, const ResponseRewrite& rewrite, std::string& out) {
  out.append("HTTP/1.1 ");
  append_number(static_cast<std::uint64_t>(head.status), out);
  out.append(" ").append(head.reason).append("\r\n");
  for (const auto& field : head.fields) {
    // Where chunks or the close end the body, a length beside them would be a second opinion; and
    // 1xx and 204 have none (RFC 9110 section 8.6).
    const bool stray_length =
        field.known == Known::kContentLength &&
        (rewrite.framing == Framing::kChunked || rewrite.framing == Framing::kUntilClose ||
         head.status < 200 || head.status == 204);
    if (!stray_length && !ends_here(head, field)) {
      append_field(field.name, field.value, out);
    }
  }
  out.append(kVia);
  if (rewrite.framing == Framing::kChunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
  if (head.status == 101) {
    append_upgrade(head, out);
  } else if (head.status >= 200) {
    if (rewrite.close) {
      out.append("Connection: close\r\n");
    } else if (rewrite.client_is_10) {
      out.append("Connection: keep-alive\r\n");
    }
  }
  out.append("\r\n");
}

void write_trailers(const std::vector<Field>& fields, std::string& out) {
  for (const auto& field : fields) {
    append_field(field.name, field.value, out);
  }
  out.append("\r\n");
}

void write_own_answer(const OwnAnswer& answer, std::string& out) {
  out.append("HTTP/1.1 ");
  append_number(static_cast<std::uint64_t>(answer.status), out);
  out.append(" ").append(reason_phrase(answer.status)).append("\r\nContent-Type: text/plain\r\n");
  out.append("Content-Length: ");
  append_number(answer.text.size() + 1, out);
  out.append("\r\nProxy-Status: pilotfish; error=").append(answer.error).append("\r\n");
  if (answer.retry_after > 0) {
    out.append("Retry-After: ");
    append_number(answer.retry_after, out);
    out.append("\r\n");
  }
  if (answer.close) {
    out.append("Connection: close\r\n");
  }
  out.append("\r\n");
  if (!answer.head_only) {
    out.append(answer.text).append("\n");
  }
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 400: return "Bad Request";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "Error";
  }
}

}  // namespace pilotfish::http

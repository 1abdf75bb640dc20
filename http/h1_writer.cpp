#include "http/h1_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace pilotfish::http {
namespace {

/// With the version in which the message came (RFC 9110 section 7.6.3).
std::string_view via(const Head& head) {
  return head.version == Version::k11 ? "Via: 1.1 pilotfish\r\n" : "Via: 1.0 pilotfish\r\n";
}

void append_field(std::string_view name, std::string_view value, std::string& out) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void append_number(std::uint64_t number, std::string& out) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
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

/// `Connection: upgrade` with `more` behind it, and the Upgrade tokens; `h2c` as well or not.
void append_upgrade(const Head& head, std::string_view more, bool h2c, std::string& out) {
  out.append("Connection: upgrade").append(more).append("\r\nUpgrade: ");
  bool first = true;
  for (const auto& field : head.fields) {
    if (field.known == Known::kUpgrade) {
      for_each_token(field.value, [&](std::string_view token) {
        if (h2c || !iequals(token, "h2c")) {
          out.append(first ? "" : ", ").append(token);
          first = false;
        }
        return true;
      });
    }
  }
  out.append("\r\n");
}

/// What the connection does behind an answer.
void append_connection(const ResponseHead& head, const ResponseRewrite& rewrite, std::string& out) {
  if (head.status == 101) {
    append_upgrade(head, "", false, out);
    return;
  }
  const std::string_view word = head.status < 200      ? ""
                                : rewrite.close        ? ", close"
                                : rewrite.client_is_10 ? ", keep-alive"
                                                       : "";
  if (head.status == 426 && head.find(Known::kUpgrade) != nullptr) {
    append_upgrade(head, word, true, out);  // without it the answer says nothing
  } else if (!word.empty()) {
    out.append("Connection: ").append(word.substr(2)).append("\r\n");
  }
}

void append_hops(const RequestHead& head, const Field& field, std::string& out) {
  out.append(field.name).append(": ");
  append_number(*head.max_forwards - std::min(*head.max_forwards, 1U), out);
  out.append("\r\n");
}

}  // namespace

void write_request(const RequestHead& head, const RequestRewrite& rewrite, std::string& out) {
  const HopByHop hop(head);
  out.append(head.method_text).append(head.path.starts_with('?') ? " /" : " ");
  out.append(head.path).append(" HTTP/1.1\r\n");
  const auto wanted = rewrite.host.empty() ? head.authority : rewrite.host;
  if (!wanted.empty()) {
    append_field("Host", wanted, out);
  } else if (head.host.empty()) {
    append_field("Host", rewrite.fallback_host, out);
  }
  bool forwarded = false;
  for (const auto& field : head.fields) {
    if (hop.ends_here(field) || field.known == Known::kTrailer ||
        (field.known == Known::kHost && !wanted.empty())) {
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
    if (field.known == Known::kMaxForwards && head.max_forwards) {
      append_hops(head, field, out);
      continue;
    }
    append_field(field.name, field.value, out);
  }
  if (!forwarded) {
    append_field("X-Forwarded-For", rewrite.client_address, out);
  }
  out.append(via(head));
  if (head.framing == Framing::kChunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
  if (head.upgrade) {
    append_upgrade(head, "", false, out);
  } else if (accepts_trailers(head)) {
    out.append("Connection: te\r\nTE: trailers\r\n");
  }
  out.append("\r\n");
}

void write_response(const ResponseHead& head, const ResponseRewrite& rewrite, std::string& out) {
  const HopByHop hop(head);
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
    if (!stray_length && !hop.ends_here(field)) {
      append_field(field.name, field.value, out);
    }
  }
  if (head.status >= 200 && !head.has_date && !rewrite.date.empty()) {
    append_field("Date", rewrite.date, out);
  }
  out.append(rewrite.more).append(via(head));
  if (rewrite.framing == Framing::kChunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
  append_connection(head, rewrite, out);
  out.append("\r\n");
}

void write_trailers(const std::vector<Field>& fields, const HopByHop& hop, std::string& out) {
  for (const auto& field : fields) {
    if (!hop.ends_here(field)) {
      append_field(field.name, field.value, out);
    }
  }
  out.append("\r\n");
}

std::size_t write_own_answer(const OwnAnswer& answer, std::string& out) {
  out.append("HTTP/1.1 ");
  append_number(static_cast<std::uint64_t>(answer.status), out);
  out.append(" ").append(reason_phrase(answer.status)).append("\r\n");
  const std::string_view line_end = answer.text.empty() ? "" : "\n";
  const auto length = answer.text.size() + line_end.size() + answer.body.size();
  if (length > 0) {
    append_field("Content-Type", answer.type, out);
  }
  out.append("Content-Length: ");
  append_number(length, out);
  out.append("\r\n");
  if (!answer.date.empty()) {
    append_field("Date", answer.date, out);
  }
  if (!answer.error.empty()) {
    out.append("Proxy-Status: pilotfish; error=").append(answer.error).append("\r\n");
  }
  if (answer.retry_after > 0) {
    out.append("Retry-After: ");
    append_number(answer.retry_after, out);
    out.append("\r\n");
  }
  if (answer.close) {
    out.append("Connection: close\r\n");
  } else if (answer.client_is_10) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
  if (answer.head_only) {
    return 0;
  }
  out.append(answer.text).append(line_end).append(answer.body);
  return length;
}

void write_trace(const RequestHead& head, std::string& out) {
  out.append(head.method_text).append(" ").append(head.target);
  out.append(head.version == Version::k11 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
  for (const auto& field : head.fields) {
    const bool secret = field.known == Known::kProxyAuthorization ||
                        iequals(field.name, "authorization") || iequals(field.name, "cookie");
    if (!secret) {
      append_field(field.name, field.value, out);
    }
  }
  out.append("\r\n");
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
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

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace pilotfish::http {

/// Methods the proxy must tell apart; the text is kept beside it.
enum class Method : std::uint8_t {
  kGet,
  kHead,
  kPost,
  kPut,
  kDelete,
  kOptions,
  kTrace,
  kPatch,
  kConnect,
  kOther
};

/// RFC 9110 section 9.2.2: a repeat has the same intended effect as one request.
[[nodiscard]] constexpr bool is_idempotent(Method method) {
  return method != Method::kPost && method != Method::kPatch && method != Method::kConnect &&
         method != Method::kOther;
}

enum class Version : std::uint8_t { k10, k11 };

/// Fields the proxy treats in a way of its own; all others pass.
enum class Known : std::uint8_t {
  kOther,
  kHost,
  kConnection,
  kContentLength,
  kTransferEncoding,
  kTe,
  kTrailer,
  kUpgrade,
  kKeepAlive,
  kProxyConnection,
  kProxyAuthenticate,
  kProxyAuthorization,
  kExpect,
  kForwardedFor,
  kVia,
  kHttp2Settings,
  kDate,
  kMaxForwards
};

/// One field line. Views into the buffer it was read into, valid as long as that is untouched.
struct Field {
  Known known = Known::kOther;
  std::string_view name;
  std::string_view value;
};

enum class Framing : std::uint8_t {
  kNone,    ///< no body
  kLength,  ///< Content-Length bytes
  kChunked,
  kUntilClose,  ///< answers only
};

/// What every codec digests a head to (HTTP/1.1 today). Reused message by message: clear() keeps
/// the memory of `fields`.
struct Head {
  Version version = Version::k11;
  std::vector<Field> fields;
  Framing framing = Framing::kNone;
  std::uint64_t length = 0;          ///< with Framing::kLength
  bool keep_alive = true;            ///< the sender lets the connection live on
  bool upgrade = false;              ///< Connection: upgrade with an Upgrade field (not only h2c)
  bool named_in_connection = false;  ///< Connection names fields beyond close, keep-alive, upgrade
  bool has_date = false;

  [[nodiscard]] const Field* find(Known known) const {
    for (const auto& field : fields) {
      if (field.known == known) {
        return &field;
      }
    }
    return nullptr;
  }
};

struct RequestHead : Head {
  Method method = Method::kGet;
  std::string_view method_text;
  std::string_view target;  ///< as received; origin-form, absolute-form or "*"
  /// Origin-form of it, as it is sent on; begins with '?' where an absolute-form target has a query
  /// and no path: a '/' belongs before it.
  std::string_view path;
  std::string_view authority;  ///< of an absolute-form target, else empty
  std::string_view host;       ///< value of Host; empty where there is none (HTTP/1.0)
  bool expect_continue = false;
  /// `Max-Forwards`, of TRACE and OPTIONS alone (RFC 9110 section 7.6.2): 0 is ours to answer.
  std::optional<std::uint32_t> max_forwards;
  void clear();
};

struct ResponseHead : Head {
  int status = 0;
  std::string_view reason;
  void clear();
};

/// Why a head was refused; each is one answer of our own (docs/how-it-decides.md).
enum class Refusal : std::uint8_t {
  kNone,
  kMalformed,      ///< 400, or 502 for an answer
  kTooLarge,       ///< 431
  kUnknownCoding,  ///< 501
  kConnectMethod,  ///< 501
};

/// A known field's place in the rules, by its name in any case.
[[nodiscard]] Known known_field(std::string_view name);

[[nodiscard]] constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

/// Case-insensitive equality of ASCII text.
[[nodiscard]] bool iequals(std::string_view a, std::string_view b);

/// Calls `visit(token)` for each element of a comma-separated list, OWS trimmed, empty ones left
/// out (RFC 9110 section 5.6.1); stops where it returns false.
template <class Visit>
void for_each_token(std::string_view list, Visit&& visit) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    auto token = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    while (!token.empty() && (token.front() == ' ' || token.front() == '\t')) {
      token.remove_prefix(1);
    }
    while (!token.empty() && (token.back() == ' ' || token.back() == '\t')) {
      token.remove_suffix(1);
    }
    if (!token.empty() && !visit(token)) {
      return;
    }
  }
}

}  // namespace pilotfish::http

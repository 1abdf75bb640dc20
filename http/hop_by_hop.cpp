#include "http/hop_by_hop.hpp"

#include <algorithm>

namespace pilotfish::http {
namespace {

/// FNV-1a over lower-case letters. Who makes hashes collide gains nothing: equal ones are told
/// apart by their names in the same order.
std::uint64_t hash_of(std::string_view name) {
  std::uint64_t digest = 0xcbf29ce484222325ULL;
  for (const char c : name) {
    digest ^= static_cast<unsigned char>(lower(c));
    digest *= 0x100000001b3ULL;
  }
  return digest;
}

int compare(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) {
    return a.size() < b.size() ? -1 : 1;
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    const char x = lower(a[i]);
    const char y = lower(b[i]);
    if (x != y) {
      return x < y ? -1 : 1;
    }
  }
  return 0;
}

/// Fields a `Connection` field cannot make us drop: framing, routing and what we vouch for.
bool is_protected(const Field& field) {
  switch (field.known) {
    case Known::kHost:
    case Known::kContentLength:
    case Known::kTransferEncoding:
    case Known::kForwardedFor:
    case Known::kVia:
    case Known::kDate:
    case Known::kMaxForwards: return true;
    default: break;
  }
  return iequals(field.name, "authorization") || iequals(field.name, "cookie") ||
         iequals(field.name, "set-cookie") || iequals(field.name, "content-type") ||
         iequals(field.name, "cache-control") || iequals(field.name, "forwarded") ||
         iequals(field.name, "x-forwarded-host") || iequals(field.name, "x-forwarded-proto") ||
         iequals(field.name, "x-real-ip");
}

}  // namespace

void NameSet::add(std::string_view name) {
  const Entry entry{hash_of(name), name};
  if (count_ < kFew) {
    few_[count_] = entry;
  } else {
    if (many_.empty()) {
      many_.assign(few_.begin(), few_.end());
    }
    many_.push_back(entry);
  }
  ++count_;
}

void NameSet::add_list(std::string_view list) {
  for_each_token(list, [this](std::string_view name) {
    add(name);
    return true;
  });
}

void NameSet::seal() {
  std::ranges::sort(many_, [](const Entry& a, const Entry& b) {
    return a.hash != b.hash ? a.hash < b.hash : compare(a.name, b.name) < 0;
  });
}

bool NameSet::contains(std::string_view name) const {
  if (count_ == 0) {
    return false;
  }
  const auto hash = hash_of(name);
  if (many_.empty()) {
    return std::any_of(
        few_.begin(), few_.begin() + static_cast<std::ptrdiff_t>(count_),
        [&](const Entry& entry) { return entry.hash == hash && iequals(entry.name, name); });
  }
  const Entry wanted{hash, name};
  return std::ranges::binary_search(many_, wanted, [](const Entry& a, const Entry& b) {
    return a.hash != b.hash ? a.hash < b.hash : compare(a.name, b.name) < 0;
  });
}

HopByHop::HopByHop(const Head& head) {
  if (head.named_in_connection) {
    for (const auto& field : head.fields) {
      if (field.known == Known::kConnection) {
        named_.add_list(field.value);
      }
    }
    named_.seal();
  }
}

HopByHop::HopByHop(std::string_view names) {
  named_.add_list(names);
  named_.seal();
}

bool HopByHop::ends_here(const Field& field) const {
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
    default: break;
  }
  return !named_.empty() && named_.contains(field.name) && !is_protected(field);
}

void HopByHop::names(const Head& head, std::string& out) {
  if (!head.named_in_connection) {
    return;
  }
  for (const auto& field : head.fields) {
    if (field.known == Known::kConnection) {
      out.append(out.empty() ? "" : ",").append(field.value);
    }
  }
}

bool was_offered(const RequestHead& request, const ResponseHead& answer) {
  NameSet offers;
  for (const auto& field : request.fields) {
    if (field.known == Known::kUpgrade) {
      offers.add_list(field.value);
    }
  }
  offers.seal();
  bool all = answer.upgrade;
  for (const auto& field : answer.fields) {
    if (field.known == Known::kUpgrade) {
      for_each_token(field.value, [&](std::string_view protocol) {
        all = all && !iequals(protocol, "h2c") && offers.contains(protocol);
        return all;
      });
    }
  }
  return all;
}

}  // namespace pilotfish::http

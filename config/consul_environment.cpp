#include "config/consul_environment.hpp"

#include <algorithm>
#include <fstream>
#include <string>

#include "config/names.hpp"

namespace pilotfish::config {
namespace {

constexpr std::size_t kLongestToken = 4096;

std::string trimmed(std::string_view text) {
  constexpr auto* kBlank = " \t\r\n";
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) {
    return {};
  }
  return std::string(text.substr(begin, text.find_last_not_of(kBlank) - begin + 1));
}

/// A token goes into a header field as it is. Its text never appears in a message.
std::string wrong_with_token(std::string_view token) {
  if (token.empty()) {
    return "holds no token; write one or unset the variable";
  }
  const bool plain = std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7F; });
  return plain && token.size() <= kLongestToken
             ? ""
             : "holds no token: a blank, a control character, or more than 4096 characters";
}

std::optional<std::string> read_token_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return std::nullopt;
  }
  std::string text(kLongestToken * 2, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) {
    return std::nullopt;
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  return trimmed(text);
}

std::optional<std::string> non_empty(const Environment& environment, std::string_view name) {
  auto value = environment(name);
  return value && !value->empty() ? value : std::nullopt;
}

}  // namespace

void apply_consul_environment(const Environment& environment, registry::ConsulHttp& consul,
                              Findings& findings) {
  const auto fail = [&findings](std::string message) {
    findings.push_back({{}, "environment variable " + std::move(message)});
  };
  if (const auto address = non_empty(environment, "CONSUL_HTTP_ADDR")) {
    std::string why;
    auto url = consul_url(trimmed(*address), &why);
    if (url.empty()) {
      fail("CONSUL_HTTP_ADDR: " + quote(*address) + " " + why);
    } else {
      consul.url = std::move(url);
    }
  }
  if (const auto path = non_empty(environment, "CONSUL_HTTP_TOKEN_FILE")) {
    const auto token = read_token_file(*path);
    if (!token) {
      fail("CONSUL_HTTP_TOKEN_FILE: " + quote(*path) + " cannot be read");
    } else if (const auto wrong = wrong_with_token(*token); !wrong.empty()) {
      fail("CONSUL_HTTP_TOKEN_FILE: " + quote(*path) + " " + wrong);
    } else {
      consul.token = *token;
    }
  } else if (const auto value = non_empty(environment, "CONSUL_HTTP_TOKEN")) {
    const auto token = trimmed(*value);
    if (const auto wrong = wrong_with_token(token); !wrong.empty()) {
      fail("CONSUL_HTTP_TOKEN: it " + wrong);
    } else {
      consul.token = token;
    }
  }
}

}  // namespace pilotfish::config

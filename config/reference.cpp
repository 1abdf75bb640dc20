#include "config/load.hpp"
#include "config/tables.hpp"

namespace pilotfish::config {
namespace {

constexpr std::string_view kIntro = R"(# Configuration reference

This page is generated from the tables that the program itself reads files with
(`config/`); a test keeps the two together. `pilotfish check FILE` prints every error of a file
at once, each as `FILE:LINE:COL: message`, and exits with 78.

The smallest useful file:

```yaml
upstreams:
  billing:
    listen: 127.0.0.1:7001
    consul: billing
```

The application then calls `http://127.0.0.1:7001`. All else has a default. Unknown keys, keys given
twice and empty values are errors.

## Values

| Kind | Form |
| --- | --- |
| duration | a whole number and one of `us`, `ms`, `s`, `m`, `h`: `250ms`, `10s`, `1m`; a bare `0` |
| size | bytes: `65536`; or with `KiB`, `MiB`, `GiB` (1024), `KB`, `MB`, `GB` (1000) |
| percentage | `20%` |
| address | an IP literal and a port: `127.0.0.1:7001`, `[::1]:7001`; names are not looked up here |
| `${NAME}` | in any value: the environment variable; an error where it is not set |
| `${NAME:-default}` | the default where the variable is not set or empty |
| `$${` | a plain `${` |
| a list | `[a, b]`; an element that is `"${NAME}"` and nothing else is as many elements as its value has parts between commas, and so is `"${NAME}"` in place of the list |

The environment overrides `consul:`: `CONSUL_HTTP_ADDR` (`HOST:PORT`, `http://HOST:PORT`,
`unix://PATH`) replaces `consul.http`, and the ACL token is read from the file that
`CONSUL_HTTP_TOKEN_FILE` names, else from `CONSUL_HTTP_TOKEN`. Secrets are never printed: `/config`
shows `<redacted>`.

## Reload

SIGHUP, or with `pilotfish run --watch` a change of the file, has it read again (and the token, and the
access log opened anew). All of it takes effect while requests run, `workers` excepted, which is named
in the log as needing a restart. New addresses are bound before anything else: where one is taken, or the file has an error, nothing changes, the log
says why (`FILE:LINE:COL: message`), and so do `pilotfish_config_reloads_total{result}` (`ok`,
`invalid`: the file, `failed`: an address or the access log) and the first lines of `/config`.

- An address that stays keeps its sockets, also where another upstream gets it: no connection is lost.
  One that is gone still answers what the kernel had accepted.
- Connections that came in by an address that moved or went are answered by the upstream they came
  for; the next answer says `Connection: close`. TCP connections and upgraded ones run on.
- What is known of instances (ejection, latency, requests in flight, pooled connections) stays, by
  address and port. Until a new source has named an instance the former ones serve; an answer without
  any counts after `fallback.hold_empty`.
- An address that passes between `admin` and an upstream, or between `0.0.0.0` and one address of
  the same port, takes two reloads: one that frees it, one that uses it.
)";

/// `|` would end a cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c == '|' ? "\\|" : std::string(1, c);
  }
  return out;
}

std::string fallback_cell(const KeyDoc& doc) {
  if (doc.fallback.empty()) {
    return "none";
  }
  // Words stand as they are, values as code; a map's defaults are those of its own section.
  if (doc.inside && doc.fallback.starts_with('{')) {
    return "see below";
  }
  const bool words = doc.fallback == "required" || doc.fallback == "none" ||
                     doc.fallback.find(' ') != std::string::npos;
  const bool code = !words || doc.fallback.front() == '[';
  return code && doc.fallback.front() != '`' ? "`" + doc.fallback + "`" : doc.fallback;
}

void write_section(const std::string& path, const KeyDocs& docs, std::string& out) {
  out += "\n## " + (path.empty() ? "Top level" : "`" + path + "`") + "\n\n";
  out += "| Key | Value | Default | Meaning |\n| --- | --- | --- | --- |\n";
  for (const auto& doc : docs) {
    out += "| `" + doc.key + "` | " + cell(doc.type) + " | " + cell(fallback_cell(doc)) + " | " +
           cell(doc.help) + " |\n";
  }
  for (const auto& doc : docs) {
    if (doc.inside) {
      write_section(
          (path.empty() ? "" : path + ".") + doc.key + (doc.level.empty() ? "" : "." + doc.level),
          *doc.inside, out);
    }
  }
}

}  // namespace

std::string reference_markdown() {
  std::string out(kIntro);
  write_section("", root_table().docs(), out);
  return out;
}

}  // namespace pilotfish::config

#include "tests/unit/config/support.hpp"

namespace pilotfish::config::test {
namespace {

TEST(BadTopLevel, SaysOfWordsThatPeopleTryWhatToUse) {
  expect_reports({
      {top("gateways: {}"),
       "f.yaml:2:1: \"gateways\" is not built yet; each upstream has an address of its own, "
       "listen:, so far\n"},
      {top("consul: {tls: {ca: x}}"),
       "f.yaml:2:10: \"tls\" in consul is not built yet; the agent is asked over http:// or "
       "unix:// so far\n"},
      {top("consul: {token: x}"),
       "f.yaml:2:10: unknown key \"token\" in consul; the token comes from CONSUL_HTTP_TOKEN_FILE "
       "or CONSUL_HTTP_TOKEN, never from this file\n"},
      {top("log_level: debug"),
       "f.yaml:2:1: unknown key \"log_level\"; write log: {level: info}\n"},
      {top("port: 80"),
       "f.yaml:2:1: unknown key \"port\"; it belongs to an upstream: upstreams: {NAME: {listen: "
       "127.0.0.1:PORT}}\n"},
      {"backends:\n  app: {}\n",
       "f.yaml:1:1: unknown key \"backends\"; what the application calls is under upstreams:\n"},
  });
}

TEST(BadTopLevel, NeedsUpstreams) {
  expect_reports({
      {file("workers: 2\n"),
       "f.yaml:1:1: \"upstreams\" is missing; add upstreams: {billing: {listen: 127.0.0.1:7001, "
       "consul: billing}}\n"},
      {file("upstreams:\n"), "f.yaml:1:1: upstreams: has no value; write one (map of upstreams)\n"},
      {file("upstreams: {}\n"),
       "f.yaml:1:12: upstreams: is empty; write at least one of the upstreams\n"},
      {file("upstreams: []\n"),
       "f.yaml:1:12: upstreams: must be a map of names to upstreams, not a list\n"},
      {file("upstreams: x\n"),
       "f.yaml:1:12: upstreams: must be a map of names to upstreams, not \"x\"\n"},
      {file("upstream: {a: {listen: 127.0.0.1:7001, consul: a}}\n"),
       "f.yaml:1:1: unknown key \"upstream\"; did you mean \"upstreams\"?\n"},
      {file("upstreams: {a: }\n"),
       "f.yaml:1:16: upstreams.a: must be a map of keys, like {listen: ...}, not no value\n"},
      {file("upstreams: {a: x}\n"),
       "f.yaml:1:16: upstreams.a: must be a map of keys, like {listen: ...}, not \"x\"\n"},
      {file("upstreams: {'a b': {listen: 127.0.0.1:7001, consul: a}}\n"),
       "f.yaml:1:13: upstreams: \"a b\" is no name for an upstream; use letters, digits, _ . -\n"},
  });
}

TEST(BadTopLevel, RefusesBadAdminAndProcessOptions) {
  expect_reports({
      {top("admin: 0.0.0.0:9900"),
       "f.yaml:2:8: admin: \"0.0.0.0:9900\" can be reached from other machines; add admin_public: "
       "true if that is wanted, or use 127.0.0.1\n"},
      {top("admin: '[::]:9900'"),
       "f.yaml:2:8: admin: \"[::]:9900\" can be reached from other machines; add admin_public: "
       "true if that is wanted, or use 127.0.0.1\n"},
      {top("admin: 9900"),
       "f.yaml:2:8: admin: \"9900\" is not an address; write IP:PORT, like 127.0.0.1:7001 or "
       "[::1]:7001, or off\n"},
      {top("admin: :9900"),
       "f.yaml:2:8: admin: \":9900\" has no address; write 127.0.0.1:9900, or off\n"},
      {top("admin: localhost:9900"),
       "f.yaml:2:8: admin: \"localhost:9900\" has no IP address; names are not looked up here, "
       "write one like 127.0.0.1:9900, or off\n"},
      {top("admin: false"),
       "f.yaml:2:8: admin: \"false\" is not an address; write IP:PORT, like 127.0.0.1:7001 or "
       "[::1]:7001, or off\n"},
      {top("admin: 127.0.0.1"),
       "f.yaml:2:8: admin: \"127.0.0.1\" has no port; write 127.0.0.1:PORT, or off\n"},
      {top("admin: 127.0.0.1:70000"),
       "f.yaml:2:8: admin: \"127.0.0.1:70000\" has a bad port; write a port from 0 to 65535, or "
       "off\n"},
      {top("admin: ''"),
       "f.yaml:2:8: admin: is empty; write a value (address IP:PORT, or off) or remove the key\n"},
      {top("admin: [a]"),
       "f.yaml:2:8: admin: must be one value (address IP:PORT, or off), not a list\n"},
      {top("admin:"), "f.yaml:2:1: admin: has no value; write one (address IP:PORT, or off)\n"},
      {top("admin_public: yes"),
       "f.yaml:2:15: admin_public: \"yes\" is not a truth value; write true or false\n"},
      {top("Admin: off"), "f.yaml:2:1: unknown key \"Admin\"; did you mean \"admin\"?\n"},
      {top("workers: 0"),
       "f.yaml:2:10: workers: \"0\" is out of range; write a number from 1 to 1024, or auto\n"},
      {top("workers: -1"),
       "f.yaml:2:10: workers: \"-1\" is not a whole number; write one from 1 to 1024, or auto\n"},
      {top("workers: many"),
       "f.yaml:2:10: workers: \"many\" is not a whole number; write one from 1 to 1024, or auto\n"},
      {top("workers: 1.5"),
       "f.yaml:2:10: workers: \"1.5\" is not a whole number; write one from 1 to 1024, or auto\n"},
      {top("workers: 99999999999999999999"),
       "f.yaml:2:10: workers: \"99999999999999999999\" is out of range; write a number from 1 to "
       "1024, or auto\n"},
      {top("workers: [1]"),
       "f.yaml:2:10: workers: must be one value (number, 1 to 1024, or auto), not a list\n"},
      {top("max_clients: 0"),
       "f.yaml:2:14: max_clients: \"0\" is out of range; write a number from 1 to 10000000\n"},
      {top("max_clients: 10k"),
       "f.yaml:2:14: max_clients: \"10k\" is not a whole number; write one from 1 to 10000000\n"},
      {top("max-clients: 5"),
       "f.yaml:2:1: unknown key \"max-clients\"; did you mean \"max_clients\"?\n"},
      {top("state_dir: ''"),
       "f.yaml:2:12: state_dir: is empty; write a value (path) or remove the key\n"},
      {top("state_dir: {a: b}"), "f.yaml:2:12: state_dir: must be one value (path), not a map\n"},
      {top("state_dir: \"a\\nb\""),
       "f.yaml:2:12: state_dir: \"a\\x0ab\" has a control character; remove it\n"},
      {top("admin: 127.0.0.1:7001"),
       "f.yaml:1:25: upstreams.a.listen: \"127.0.0.1:7001\" is taken by admin; give each an "
       "address of its own\n"},
      {top("admin: ${NOPE}"),
       "f.yaml:2:8: \"${NOPE}\" needs the environment variable NOPE, which is not set; set it, or "
       "write ${NOPE:-default}\n"},
      {top("workers: ${NOPE:-x}"),
       "f.yaml:2:10: workers: \"x\" is not a whole number; write one from 1 to 1024, or auto\n"},
      {top("workers: ${NOPE"),
       "f.yaml:2:10: \"${NOPE\" has a ${ without }; close it, or write $${ for a plain ${\n"},
      {top("workers: ${1X}"),
       "f.yaml:2:10: \"${1X}\" has \"${1X}\", which is none of ${NAME} and ${NAME:-default}; $${ "
       "stands for a plain ${\n"},
      {top("workers: ${A:?b}"),
       "f.yaml:2:10: \"${A:?b}\" has \"${A:?b}\", which is none of ${NAME} and ${NAME:-default}; "
       "$${ stands for a plain ${\n"},
      {top("workers: ${A:-${B}}"),
       "f.yaml:2:10: \"${A:-${B}}\" has \"${A:-${B}\", which is none of ${NAME} and "
       "${NAME:-default}; $${ stands for a plain ${\n"},
      {top("state_dir: ${NOPE}/x"),
       "f.yaml:2:12: \"${NOPE}/x\" needs the environment variable NOPE, which is not set; set it, "
       "or write ${NOPE:-default}\n"},
  });
}

TEST(BadTopLevel, RefusesBadLogAndShutdown) {
  expect_reports({
      {top("log: info"),
       "f.yaml:2:6: log: must be a map of keys, like {level: ...}, not \"info\"\n"},
      {top("log: {level: warning}"),
       "f.yaml:2:14: log.level: \"warning\" is none of debug, info, warn, error; did you mean "
       "\"warn\"?\n"},
      {top("log: {level: loud}"),
       "f.yaml:2:14: log.level: \"loud\" is none of debug, info, warn, error\n"},
      {top("log: {fromat: json}"),
       "f.yaml:2:7: unknown key \"fromat\" in log; did you mean \"format\"?\n"},
      {top("log: {format: xml}"), "f.yaml:2:15: log.format: \"xml\" is none of text, json\n"},
      {top("log: {access: on}"),
       "f.yaml:2:15: log.access: \"on\" is no place for the access log; write off, stdout, stderr "
       "or a path\n"},
      {top("log: {access: ''}"),
       "f.yaml:2:15: log.access: is empty; write a value (off, stdout, stderr or a path) or remove "
       "the key\n"},
      {top("log: {}\nlogs: {}"), "f.yaml:3:1: unknown key \"logs\"; did you mean \"log\"?\n"},
      {top("shutdown: {drain: 10}"),
       "f.yaml:2:19: shutdown.drain: \"10\" needs a unit; write 10ms, 10s, 10m or 10h\n"},
      {top("shutdown: {drain: -1s}"),
       "f.yaml:2:19: shutdown.drain: \"-1s\" is not a duration; write a whole number and a unit, "
       "like 250ms, 10s, 1m or 1h\n"},
      {top("shutdown: {drain: 1.5s}"),
       "f.yaml:2:19: shutdown.drain: \"1.5s\" is not a duration; write a whole number and a unit, "
       "like 250ms, 10s, 1m or 1h\n"},
      {top("shutdown: {drain: 10 s}"),
       "f.yaml:2:19: shutdown.drain: \"10 s\" is not a duration; write a whole number and a unit, "
       "like 250ms, 10s, 1m or 1h\n"},
      {top("shutdown: {drain: 1m30s}"),
       "f.yaml:2:19: shutdown.drain: \"1m30s\" is not a duration; write a whole number and a unit, "
       "like 250ms, 10s, 1m or 1h\n"},
      {top("shutdown: {drain: 10sec}"),
       "f.yaml:2:19: shutdown.drain: \"10sec\" is not a duration; write a whole number and a unit, "
       "like 250ms, 10s, 1m or 1h\n"},
      {top("shutdown: {drain: 99999h}"),
       "f.yaml:2:19: shutdown.drain: \"99999h\" is too long; 87600h (10 years) is the most\n"},
      {top("shutdown: {drain: 99999999999999999999s}"),
       "f.yaml:2:19: shutdown.drain: \"99999999999999999999s\" is too long; 87600h (10 years) is "
       "the most\n"},
      {top("shutdown: {drain: fast}"),
       "f.yaml:2:19: shutdown.drain: \"fast\" is not a duration; write a whole number and a unit, "
       "like 250ms, 10s, 1m or 1h\n"},
      {top("shutdown: {drian: 5s}"),
       "f.yaml:2:12: unknown key \"drian\" in shutdown; did you mean \"drain\"?\n"},
      {top("shutdown: 10s"),
       "f.yaml:2:11: shutdown: must be a map of keys, like {grace: ...}, not \"10s\"\n"},
  });
}

TEST(BadTopLevel, RefusesBadRegistryAddresses) {
  expect_reports({
      {top("consul: {http: https://127.0.0.1:8501}"),
       "f.yaml:2:16: consul.http: \"https://127.0.0.1:8501\" needs TLS, and TLS is not supported "
       "yet; write http://HOST:PORT\n"},
      {top("consul: {http: ftp://x}"),
       "f.yaml:2:16: consul.http: \"ftp://x\" is not where Consul's API can be; write "
       "http://HOST:PORT, HOST:PORT or unix://PATH\n"},
      {top("consul: {http: 127.0.0.1}"),
       "f.yaml:2:16: consul.http: \"127.0.0.1\" is not where Consul's API can be; write "
       "http://HOST:PORT, HOST:PORT or unix://PATH\n"},
      {top("consul: {http: http://127.0.0.1}"),
       "f.yaml:2:16: consul.http: \"http://127.0.0.1\" is not where Consul's API can be; write "
       "http://HOST:PORT, HOST:PORT or unix://PATH\n"},
      {top("consul: {http: http://127.0.0.1:8500/v1}"),
       "f.yaml:2:16: consul.http: \"http://127.0.0.1:8500/v1\" is not where Consul's API can be; "
       "write http://HOST:PORT, HOST:PORT or unix://PATH\n"},
      {top("consul: {http: http://u:p@127.0.0.1:8500}"),
       "f.yaml:2:16: consul.http: \"http://u:<redacted>@127.0.0.1:8500\" is not where Consul's API "
       "can be; write http://HOST:PORT, HOST:PORT or unix://PATH\n"},
      {top("consul: {http: unix://run/x}"),
       "f.yaml:2:16: consul.http: \"unix://run/x\" has no absolute path; write "
       "unix:///run/consul.sock\n"},
      {top("consul: {http: http://127.0.0.1:0}"),
       "f.yaml:2:16: consul.http: \"http://127.0.0.1:0\" is not where Consul's API can be; write "
       "http://HOST:PORT, HOST:PORT or unix://PATH\n"},
      {top("consul: {http: http://300.1.1.1:8500}"),
       "f.yaml:2:16: consul.http: \"http://300.1.1.1:8500\" is not where Consul's API can be; "
       "write http://HOST:PORT, HOST:PORT or unix://PATH\n"},
      {top("consul: {dns: 127.0.0.1}"),
       "f.yaml:2:15: consul.dns: \"127.0.0.1\" has no port; write 127.0.0.1:PORT\n"},
      {top("consul: {dns: localhost:8600}"),
       "f.yaml:2:15: consul.dns: \"localhost:8600\" has no IP address; names are not looked up "
       "here, write one like 127.0.0.1:8600\n"},
      {top("consul: {dns: 127.0.0.1:0}"),
       "f.yaml:2:15: consul.dns: \"127.0.0.1:0\" has port 0; write a port from 1 to 65535\n"},
      {top("consul: {domain: 'a..b'}"),
       "f.yaml:2:18: consul.domain: \"a..b\" has an empty part between dots\n"},
      {top("consul: {domain: 'a b'}"),
       "f.yaml:2:18: consul.domain: \"a b\" cannot be asked over DNS because of a space\n"},
      {top("consul: {token: x}"),
       "f.yaml:2:10: unknown key \"token\" in consul; the token comes from CONSUL_HTTP_TOKEN_FILE "
       "or CONSUL_HTTP_TOKEN, never from this file\n"},
      {top("consul: http://127.0.0.1:8500"),
       "f.yaml:2:9: consul: must be a map of keys, like {http: ...}, not "
       "\"http://127.0.0.1:8500\"\n"},
      {top("dns: []"),
       "f.yaml:2:6: dns: is an empty list; write at least one, or remove the key\n"},
      {top("dns: [127.0.0.1]"),
       "f.yaml:2:7: dns: \"127.0.0.1\" has no port; write 127.0.0.1:PORT\n"},
      {top("dns: [127.0.0.1:53, ::1]"),
       "f.yaml:2:21: dns: \"::1\" needs brackets and a port; write [::1]:PORT\n"},
      {top("dns: {a: b}"), "f.yaml:2:6: dns: must be a list, like [a, b], not a map\n"},
      {top("dns: [[127.0.0.1:53]]"),
       "f.yaml:2:7: dns: must be one value (address IP:PORT), not a list\n"},
      {top("dns: [~]"), "f.yaml:2:7: dns: must be one value (address IP:PORT), not no value\n"},
      {top("etcd: {endpoints: []}"),
       "f.yaml:2:19: etcd.endpoints: is an empty list; write at least one, or remove the key\n"},
      {top("etcd: {endpoints: [https://127.0.0.1:2379]}"),
       "f.yaml:2:20: etcd.endpoints: \"https://127.0.0.1:2379\" needs TLS, and TLS is not "
       "supported yet; write http://HOST:PORT\n"},
      {top("etcd: {endpoints: [127.0.0.1:2379]}"),
       "f.yaml:2:20: etcd.endpoints: \"127.0.0.1:2379\" is not a URL; write http://HOST:PORT\n"},
      {top("etcd: {prefix: skydns}"),
       "f.yaml:2:16: etcd.prefix: \"skydns\" is no key prefix; write one like /skydns, without a "
       "slash at its end\n"},
      {top("etcd: {prefix: /skydns/}"),
       "f.yaml:2:16: etcd.prefix: \"/skydns/\" is no key prefix; write one like /skydns, without a "
       "slash at its end\n"},
      {top("etcd: {prefix: /}"),
       "f.yaml:2:16: etcd.prefix: \"/\" is no key prefix; write one like /skydns, without a slash "
       "at its end\n"},
  });
}

TEST(BadTopLevel, ReportsAllAtOnceInTheFilesOrder) {
  expect_reports({
      {top("wrokers: 2\nadmin: x\nmax_clients: 0\nlog: {level: x}"),
       "f.yaml:2:1: unknown key \"wrokers\"; did you mean \"workers\"?\n"
       "f.yaml:3:8: admin: \"x\" is not an address; write IP:PORT, like 127.0.0.1:7001 or "
       "[::1]:7001, or off\n"
       "f.yaml:4:14: max_clients: \"0\" is out of range; write a number from 1 to 10000000\n"
       "f.yaml:5:14: log.level: \"x\" is none of debug, info, warn, error\n"},
  });
}

}  // namespace
}  // namespace pilotfish::config::test
